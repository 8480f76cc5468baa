/** The system user Postgres runs as when we are root (it refuses root), and what that user can reach. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';

export type SystemUser = { readonly uid: number; readonly gid: number };

/**
 * The user `postgres`, created if absent; undefined when we are not root and Postgres simply runs as ourselves.
 * @throws Error when it can neither be found nor made
 */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = lookUp();
  if (found !== undefined) return found;
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
      stdio: 'pipe',
      timeout: 10_000,
    });
  } catch (cause) {
    throw new Error(
      'Postgres cannot run as root, and no user "postgres" could be made: run as an ordinary user, or set DATABASE_URL',
      { cause },
    );
  }
  const made = lookUp();
  if (made === undefined) throw new Error('the user "postgres" was made but cannot be found');
  return made;
}

/** The first folder on the way to `target` (itself included if a folder) that the user cannot enter. */
export function unreachable(target: string, user: SystemUser): string | undefined {
  const absolute = path.resolve(target);
  const steps = absolute.split(path.sep).map((_, i, all) => all.slice(0, i + 1).join(path.sep) || path.sep);
  return steps.find((step) => {
    const stat = statSync(step);
    if (!stat.isDirectory()) return false;
    const bit = stat.uid === user.uid ? 0o100 : stat.gid === user.gid ? 0o010 : 0o001;
    return (stat.mode & bit) === 0;
  });
}

function lookUp(): SystemUser | undefined {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe', timeout: 5_000 })),
    );
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch {
    return undefined;
  }
}
