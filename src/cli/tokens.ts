/** The tokens of `syncrator login`, by server address, in one file that its owner alone may read. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const fileSchema = z.record(z.string(), z.object({ token: z.string(), renewAt: z.number() }));

/** `renewAt`: milliseconds since 1970 from which it should be renewed. */
export type KeptToken = z.infer<typeof fileSchema>[string];

/** @param configHome XDG_CONFIG_HOME, if it is set */
export function tokenFile(configHome: string | undefined): string {
  return path.join(configHome ?? path.join(os.homedir(), '.config'), 'syncrator', 'tokens.json');
}

/** What is not there, or is no longer readable as ours, is no token: a login mends it. */
export function readToken(file: string, url: string): KeptToken | undefined {
  return readAll(file)[url];
}

/** @throws Error when the file cannot be written */
export function keepToken(file: string, url: string, token: KeptToken | undefined): void {
  const all = readAll(file);
  if (token) all[url] = token;
  else delete all[url];
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(all, null, 1)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600); // a umask may have taken more
  renameSync(draft, file);
}

function readAll(file: string): z.infer<typeof fileSchema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  return fileSchema.catch({}).parse(JSON.parse(text));
}
