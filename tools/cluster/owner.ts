/** One living owner per cluster folder. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../../src/embedded/process-identity.ts';

export const OWNER_FILE = 'owner.json';

/**
 * Takes the folder, creating it if needed. A killed owner leaves nothing behind, because its parts ended with it.
 * @returns a function that releases the folder
 * @throws Error with the living owner's pid
 */
export function own(dir: string): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = path.join(dir, OWNER_FILE);
  let owner: ProcessIdentity | undefined;
  try {
    owner = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (owner !== undefined && isAlive(owner))
    throw new Error(`the folder ${dir} is in use by another cluster (pid ${owner.pid}): stop that one`);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(identify(process.pid)));
  renameSync(`${file}.${process.pid}`, file);
  return () => rmSync(file, { force: true });
}
