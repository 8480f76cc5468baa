/** Creates the cluster folder and the password of the embedded Postgres atomically. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './postgres-binary.ts';
import { placeOf } from './postgres-reach.ts';
import type { SystemUser } from './postgres-user.ts';

/** Environment of Postgres' programs, without PG… variables of this process. */
export const POSTGRES_ENV = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Returns the superuser's password, generated on first use and stored with mode 0600. */
export function clusterPassword(file: string): string {
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
}

/** Runs initdb in a draft folder and renames it, so that an interrupted initdb is repeated. */
export async function createCluster(
  clusterDir: string,
  password: string,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<void> {
  const draft = `${clusterDir}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  // initdb runs as the postgres user and must read it, so it cannot lie in the data folder.
  const secretDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-initdb-'));
  const passwordFile = path.join(secretDir, 'password');
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user !== undefined)
      for (const file of [draft, secretDir, passwordFile]) chownSync(file, user.uid, user.gid);
    chmodSync(draft, 0o700);
    const place = placeOf(draft, user);
    await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${place.dataArgument}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--no-locale',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
      ],
      { ...user, env: POSTGRES_ENV, cwd: place.cwd, timeout: 120_000 },
    );
    renameSync(draft, clusterDir);
  } catch (error) {
    const why = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error);
    throw new Error(`Postgres: initdb of ${clusterDir} failed: ${why}`, { cause: error });
  } finally {
    rmSync(secretDir, { recursive: true, force: true });
  }
}
