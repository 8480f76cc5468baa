/** Creates the data folder of `npm start`, and the signing secret in it. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Creates the data folder with mode 0700; postgres-reach.ts gives a Postgres of another user access to it.
 * @returns its absolute path
 */
export function openDataFolder(folder: string): string {
  const dataDir = path.resolve(folder);
  try {
    mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`cannot create the data folder ${dataDir}: set SYNCRATOR_DATA to a writable folder`, {
      cause,
    });
  }
  return dataDir;
}

/** `<dataDir>/secret`: 32 random bytes in base64url, generated once, mode 0600. */
export function ensureSecret(dataDir: string): string {
  const file = path.join(dataDir, 'secret');
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
}
