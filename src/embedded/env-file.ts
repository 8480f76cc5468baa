/** Loads `.env` into an environment; what is exported already wins. */
import { existsSync, readFileSync } from 'node:fs';

/**
 * Sets the file's variables that are not yet set. Lines are `KEY=value`, split at the first `=`; `#` only starts a
 * comment at the start of a line; one pair of quotes around the value is taken off.
 * @returns undefined without a file, else the keys the file set and those an exported variable shadowed
 * @throws Error naming file and line, never the value
 */
export function loadEnvFile(
  file: string,
  env: NodeJS.ProcessEnv,
): { loaded: string[]; shadowed: string[] } | undefined {
  if (!existsSync(file)) return undefined;
  const loaded: string[] = [];
  const shadowed: string[] = [];
  for (const [index, raw] of readFileSync(file, 'utf8').split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined) throw new Error(`${file}:${index + 1} is not KEY=value`);
    if (loaded.includes(key)) throw new Error(`${file}:${index + 1} sets ${key} a second time`);
    if (env[key] === undefined) {
      env[key] = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
      loaded.push(key);
    } else if (env[key] !== value) shadowed.push(key);
  }
  return { loaded, shadowed };
}
