/** Runs Postgres as its own user where that user cannot enter our folders, such as root's home of mode 0700. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { PostgresBinaries } from './postgres-binary.ts';
import { type SystemUser, unreachable } from './postgres-user.ts';

/** Writable by root alone, readable by all. */
const SHARED = '/var/cache/syncrator';

/** Working folder and data argument of Postgres' programs: an absolute path, or the working folder itself. */
export type ClusterPlace = { readonly cwd: string; readonly dataArgument: string };

/**
 * A process enters its working folder before it drops root, and /proc/self/cwd leads there without passing the parent
 * folders, which its user cannot enter.
 */
export function placeOf(clusterDir: string, user: SystemUser | undefined): ClusterPlace {
  if (user === undefined || unreachable(path.dirname(clusterDir), user) === undefined)
    return { cwd: '/', dataArgument: clusterDir };
  return { cwd: clusterDir, dataArgument: '/proc/self/cwd' };
}

/**
 * Returns the programs, or a copy that the user can reach, created once per version.
 * @throws Error naming the folder in the way, and the fix
 */
export function reachableBinaries(
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
  say: (line: string) => void,
  shared = SHARED,
): PostgresBinaries {
  const closed = user && unreachable(binaries.postgres, user);
  if (user === undefined || closed === undefined) return binaries;
  const copy = path.join(shared, `postgres-${binaries.version}`);
  try {
    if (!existsSync(copy)) {
      say(`copying Postgres' programs to ${copy}: its user "postgres" cannot enter ${closed}`);
      copyReadable(path.dirname(path.dirname(binaries.postgres)), copy);
    }
    const still = unreachable(path.join(copy, 'bin'), user);
    if (still !== undefined) throw new Error(`the user "postgres" cannot enter ${still}`);
    for (const folder of [shared, copy]) mustBeRoots(folder);
  } catch (cause) {
    throw new Error(
      `Postgres runs as the user "postgres" (it refuses root), who cannot enter ${closed}, and its programs cannot be copied to ${copy} ` +
        `(${cause instanceof Error ? cause.message : String(cause)}): chmod o+x ${closed}, move the checkout elsewhere, or run as an ordinary user`,
      { cause },
    );
  }
  return { ...binaries, initdb: path.join(copy, 'bin/initdb'), postgres: path.join(copy, 'bin/postgres') };
}

/** Ensures that no other user can replace the programs that we run. @throws Error when others than root can write */
function mustBeRoots(folder: string): void {
  const { uid, mode } = statSync(folder);
  if (uid !== 0 || mode & 0o022) throw new Error(`other users than root can write to ${folder}`);
}

/** Copies atomically, readable by all users whatever the umask. */
function copyReadable(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true, mode: 0o755 });
  mustBeRoots(path.dirname(to));
  chmodSync(path.dirname(to), 0o755);
  const draft = `${to}.${process.pid}`;
  try {
    cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
    openToAll(draft);
    renameSync(draft, to);
  } catch (error) {
    // Another start was faster, and its copy is the same.
    if (!existsSync(to)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(file);
    else if (entry.isFile()) chmodSync(file, statSync(file).mode & 0o100 ? 0o755 : 0o644);
  }
}
