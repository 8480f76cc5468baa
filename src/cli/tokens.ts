/** Stores the tokens of `syncrator login` by server address, in one file that only its owner can read. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { CliFailure } from '../terminal/failure.ts';

/** A token goes into a header, so only visible ASCII is valid. `renewAt`: milliseconds since 1970. */
const keptSchema = z.object({ token: z.stringFormat('token', /^[\x21-\x7e]+$/), renewAt: z.number() });

export type KeptToken = z.infer<typeof keptSchema>;
type Tokens = Record<string, KeptToken>;

/**
 * Simultaneous logins wait for each other, since each writes the whole file. A lock older than this belongs to a
 * killed process.
 */
const LEFT_MS = 5_000;
const LOOK_MS = 20;

/** @param configHome XDG_CONFIG_HOME, if it is set */
export function tokenFile(configHome: string | undefined): string {
  return path.join(configHome ?? path.join(os.homedir(), '.config'), 'syncrator', 'tokens.json');
}

/** @returns undefined also for an unreadable or broken file, which the next login replaces */
export function readToken(file: string, url: string): KeptToken | undefined {
  return readAll(file)[url];
}

/** @throws CliFailure when the file cannot be written */
export function keepToken(file: string, url: string, token: KeptToken | undefined): void {
  if (!token && !existsSync(file)) return;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    locked(`${file}.lock`, () => {
      const { [url]: _, ...others } = readAll(file);
      replace(file, token ? { ...others, [url]: token } : others);
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliFailure(
      `cannot store the token in ${file} (${why}). ` +
        'Make the file writable, name another folder by XDG_CONFIG_HOME, or set SYNCRATOR_TOKEN.',
    );
  }
}

function replace(file: string, tokens: Tokens): void {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(tokens, null, 1)}\n`, { mode: 0o600 });
    chmodSync(draft, 0o600); // a umask may have removed bits
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function locked(lock: string, work: () => void): void {
  while (!taken(lock)) {
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Math.abs(Date.now() - made) > LEFT_MS) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** @throws Error when the folder takes no file at all */
function taken(lock: string): boolean {
  try {
    writeFileSync(lock, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readAll(file: string): Tokens {
  let all: unknown;
  try {
    all = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {}; // absent, broken, unreadable or a folder
  }
  if (typeof all !== 'object' || all === null) return {};
  return Object.fromEntries(
    Object.entries(all).flatMap(([url, kept]) => {
      const { success, data } = keptSchema.safeParse(kept);
      return success ? [[url, data] as const] : [];
    }),
  );
}
