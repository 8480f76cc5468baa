/** System user of Postgres when we are root (Postgres refuses to run as root), and the folders it can enter. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';

export type SystemUser = { readonly uid: number; readonly gid: number };

/**
 * Returns the user `postgres`, created if missing; undefined when we are not root and Postgres runs as our own user.
 * @throws Error when the user can neither be found nor created
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
      'Postgres cannot run as root, and useradd of the user "postgres" failed: run as an ordinary user, or set DATABASE_URL',
      { cause },
    );
  }
  const made = lookUp();
  if (made === undefined) throw new Error('useradd created the user "postgres", but id cannot find it');
  return made;
}

/** The first folder on the path to `target` (included if a folder) that the user cannot enter. */
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
