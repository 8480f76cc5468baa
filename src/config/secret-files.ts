/** Secret settings may be stored in files, as containers get them: NAME_FILE instead of NAME. */
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
 * The settings with the contents of their files, without final newlines. DATABASE_PASSWORD becomes part of
 * DATABASE_URL, so that the URL itself may be public.
 * @throws Error that names the variable and its file, never the content
 */
export function withSecretFiles(environment: Environment): Environment {
  const settings: Record<string, string | undefined> = { ...environment };
  for (const name of SECRET_SETTINGS) {
    const file = environment[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    if (settings[name] !== undefined)
      throw new Error(`configuration: ${name} and ${name}_FILE are both set: remove one of them`);
    settings[name] = read(`${name}_FILE`, file);
  }
  const { DATABASE_URL: url, DATABASE_PASSWORD: password } = settings;
  if (password === undefined || url === undefined || !URL.canParse(url)) return settings;
  const complete = new URL(url);
  if (complete.password !== '')
    throw new Error(
      'configuration: DATABASE_PASSWORD is set, but DATABASE_URL contains a password, too: remove one of them',
    );
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
