/** A folder of this run for what it fetches and stores. A killed run leaves its own behind; a later one deletes it. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noRoom } from './no-room.ts';

const START = 'syncrator-run-';
/** A folder of another container may carry the number of a process that does not live here. */
const LEFT_BEHIND_MS = 24 * 3_600_000;

export function makeRunFolder(): string {
  try {
    deleteLeftBehind();
    return mkdtempSync(join(tmpdir(), `${START}${process.pid}-`));
  } catch (error) {
    throw noRoom(error);
  }
}

function deleteLeftBehind(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${START}(\\d+)-`).exec(name)?.[1]);
    const folder = join(tmpdir(), name);
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    try {
      if (Date.now() - statSync(folder).mtimeMs > LEFT_BEHIND_MS)
        rmSync(folder, { recursive: true, force: true });
    } catch {
      // It belongs to another user, or another run was faster.
    }
  }
}
