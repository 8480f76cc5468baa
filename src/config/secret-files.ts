/** Settings that are secret may lie in files, as containers are given them: NAME_FILE in place of NAME. */
import { readFileSync } from 'node:fs';

export const SECRET_SETTINGS = [
  'DATABASE_URL',
  'DATABASE_PASSWORD',
  'SYNCRATOR_SECRET',
  'SYNCRATOR_ADMIN_PASSWORD',
  'GITLAB_HOOK_SECRET',
  'TEMPORAL_API_KEY',
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings with what the files say, without the end of line that editors leave; and with DATABASE_PASSWORD in
 * DATABASE_URL, so that the address alone can be written where everybody reads it.
 * @throws Error naming the variable and its file, never what is in it
 */
export function withSecretFiles(environment: Environment): Environment {
  const settings: Record<string, string | undefined> = { ...environment };
  for (const name of SECRET_SETTINGS) {
    const file = environment[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    if (settings[name] !== undefined)
      throw new Error(`configuration: ${name} and ${name}_FILE are both set: one of them will do`);
    settings[name] = read(`${name}_FILE`, file);
  }
  const { DATABASE_URL: url, DATABASE_PASSWORD: password } = settings;
  if (password === undefined || url === undefined || !URL.canParse(url)) return settings;
  const complete = new URL(url);
  if (complete.password !== '')
    throw new Error('configuration: DATABASE_PASSWORD is set, and DATABASE_URL has a password of its own');
  complete.password = encodeURIComponent(password);
  return { ...settings, DATABASE_URL: complete.href };
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new Error(`configuration: ${name}: ${file} cannot be read (${why})`, { cause });
  }
}
