/** The folder everything of one `npm start` lies in, and the one secret in it that we make ourselves. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes the data folder, closed to others. (Postgres, when it runs as another user, opens it for passing through:
 * see postgres.ts.)
 * @returns its absolute path
 */
export function openDataFolder(folder: string): string {
  const dataDir = path.resolve(folder);
  try {
    mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`the data folder ${dataDir} cannot be made: set SYNCRATOR_DATA to one that can`, {
      cause,
    });
  }
  return dataDir;
}

/** `<dataDir>/secret`: 32 random bytes in base64url, made once, mode 0600. */
export function ensureSecret(dataDir: string): string {
  const file = path.join(dataDir, 'secret');
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
}
