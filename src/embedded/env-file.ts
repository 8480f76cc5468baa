/** Loads `.env` into an environment; exported variables take precedence. */
import { existsSync, readFileSync, statSync } from 'node:fs';

export type EnvFile = {
  /** Keys that the file set. */
  readonly loaded: readonly string[];
  /** Keys of the file that an exported variable of another value overrides. */
  readonly shadowed: readonly string[];
  /** Line number of each key that the file set. */
  readonly line: ReadonlyMap<string, number>;
  /** True if other users of this machine can read the file. */
  readonly isOpen: boolean;
};

/**
 * Sets the file's variables that are not yet set. Lines are `KEY=value`, split at the first `=`; `#` only starts a
 * comment at the start of a line; one pair of quotes around the value is removed.
 * @returns undefined without a file
 * @throws Error naming file and line, never the value
 */
export function loadEnvFile(file: string, env: NodeJS.ProcessEnv): EnvFile | undefined {
  if (!existsSync(file)) return undefined;
  const loaded: string[] = [];
  const shadowed: string[] = [];
  const lines = new Map<string, number>();
  for (const [index, raw] of readFileSync(file, 'utf8').split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined) throw new Error(`${file}:${index + 1} is not KEY=value`);
    if (loaded.includes(key))
      throw new Error(`${file}:${index + 1} sets ${key} a second time: remove one of the lines`);
    if (env[key] === undefined) {
      env[key] = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
      loaded.push(key);
      lines.set(key, index + 1);
    } else if (env[key] !== value) shadowed.push(key);
  }
  return { loaded, shadowed, line: lines, isOpen: (statSync(file).mode & 0o004) !== 0 };
}

/** Appends to a message the lines of the file that set the variables it names. */
export function withLines(message: string, file: string, line: EnvFile['line']): string {
  const named = [...line].filter(([key]) => new RegExp(`\\b${key}\\b`).test(message));
  return [message, ...named.map(([key, at]) => `${file}:${at} sets ${key}`)].join('\n    ');
}
