/**
 * System users of programs when the worker is root: one per target and environment, so that a program can read neither
 * the worker's secrets nor the files of other targets.
 *
 * <data>/users/<uid>: the target that owns the uid, permanently · <data>/homes/<uid>/: its home, kept between jobs.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, SYNC_PROGRAM } from './own-programs.ts';
import { isCode } from './run-folder.ts';

export type ProgramUser = {
  /** Also the number of its only group. */
  readonly uid: number;
  readonly home: string;
};

export type ProgramUsers = (of: { env: string; target: string }) => ProgramUser;

/** Neither distributions nor systemd assign uids of this range (systemd's UIDS-GIDS.md). */
const FIRST_UID = 60_578;
const UIDS = 606;
const PROBE_MS = 10_000;

/** The users of programs, or the reason why programs have none. */
export type Separation = { readonly users: ProgramUsers } | { readonly why: string };

/** Probes with one user, since access depends on the mode of every parent folder. */
export async function separatePrograms(dataDir: string): Promise<Separation> {
  if (process.getuid?.() !== 0) return { why: 'the worker is not root' };
  try {
    closeToOthers(dataDir);
    const known = new Map<string, ProgramUser>();
    const users: ProgramUsers = ({ env, target }) => {
      const key = `${env}-${target}`; // the name of its settings file
      const user = known.get(key) ?? userOf(dataDir, key);
      known.set(key, user);
      return user;
    };
    await probe(users({ env: '', target: 'probe' }));
    return { users };
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const reason = /E[A-Z]+: [^\n]+/.exec(stderr ?? '')?.[0] ?? message;
    return {
      why: `other users cannot run programs here (${reason}): move checkout and data folder, such as below /opt, to give each target a user`,
    };
  }
}

/** Lets other users pass through to their homes and closes all other folders, whatever the umask. */
function closeToOthers(dataDir: string): void {
  // Created if missing, so that a later manual mkdir of envtarget does not leave it open.
  for (const name of ['users', 'runs', 'logs', 'envtarget', 'homes']) {
    const folder = path.join(dataDir, name);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, name === 'homes' ? 0o711 : 0o700);
  }
  chmodSync(dataDir, (statSync(dataDir).mode & 0o7777) | 0o001);
}

/** Runs Node as that user: it must read our program and write to its home. */
async function probe({ uid, home }: ProgramUser): Promise<void> {
  const script = `const fs = require('fs');
    fs.readFileSync(${JSON.stringify(path.join(ROOT, SYNC_PROGRAM))});
    fs.writeFileSync(${JSON.stringify(path.join(home, '.probe'))}, '');`;
  await promisify(execFile)(process.execPath, ['-e', script], {
    uid,
    gid: uid,
    cwd: '/',
    env: {},
    timeout: PROBE_MS,
  });
}

/** @throws Error when all uids of the range are taken */
function userOf(dataDir: string, key: string): ProgramUser {
  const folder = path.join(dataDir, 'users');
  const made = (uid: number) => ({ uid, home: homeOf(dataDir, uid) });
  // Starts at a hash instead of the first free uid, so that two data folders on one machine rarely share a uid.
  const start = createHash('sha256').update(`${dataDir}\n${key}`).digest().readUInt32BE(0) % UIDS;
  const known = new Map(readdirSync(folder).map((name) => [readUser(folder, name), Number(name)]));
  const mine = known.get(key);
  if (mine !== undefined) return made(mine);
  for (let step = 0; step < UIDS; step++) {
    const uid = FIRST_UID + ((start + step) % UIDS);
    const owner = take(folder, uid, key);
    if (owner === key) return made(uid);
  }
  throw new Error(`${folder}: all ${UIDS} uids are taken: delete the files of targets that no longer exist`);
}

/** @returns the owner of the uid: ours, unless another target was first */
function take(folder: string, uid: number, key: string): string {
  const file = path.join(folder, String(uid));
  const draft = path.join(folder, `.${process.pid}`);
  writeFileSync(draft, key, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return key;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(draft, { force: true });
  }
}

function readUser(folder: string, name: string): string | undefined {
  return name.startsWith('.') ? undefined : readFileSync(path.join(folder, name), 'utf8');
}

function homeOf(dataDir: string, uid: number): string {
  const home = path.join(dataDir, 'homes', String(uid));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  chownSync(home, uid, uid);
  return home;
}
