/**
 * Supervises one attempt as a separate process that outlives the worker: runs the program in its process group, enforces
 * the deadline, ends the program on SIGTERM, and writes exit.json. Started as `node supervisor.ts <folder>`; secrets come
 * by environment. It imports little, because one supervisor runs per running step.
 */
import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync } from 'node:fs';
import path from 'node:path';
import { boundLog } from './bounded-log.ts';
import { type Lent, lendSettings } from './lent-settings.ts';
import { ownIdentity } from './process-group.ts';
import {
  type Exit,
  LOG,
  type RunSpec,
  readSpec,
  reserveExit,
  takeSupervision,
  writeExit,
} from './run-folder.ts';

/** Longest timer of Node, 2^31-1 ms; longer deadlines are cut to it. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const folder = process.argv[2] ?? '';
const spec = await readSpec(folder);
if (!spec || !(await takeSupervision(folder, ownIdentity()))) process.exit(0);

await reserveExit(folder);
const [command = '', ...args] = spec.argv;
const logFile = path.join(folder, LOG);
const log = openSync(logFile, 'a', 0o600);
let lent: Lent;
try {
  lent = lend(spec);
} catch (error) {
  await writeExit(folder, notStarted(`cannot copy the settings for the program's user: ${String(error)}`));
  process.exit(1);
}
const child = spawn(command === 'node' ? process.execPath : command, args, {
  ...(spec.user && { uid: spec.user.uid, gid: spec.user.uid }),
  env: { ...process.env, ...spec.environment, ...lent.environment },
  stdio: ['ignore', log, log],
});
closeSync(log);
const bounded = spec.keep && boundLog(logFile, spec.keep);

let reason: Exit['reason'] = 'exited';
let graceTimer: NodeJS.Timeout | undefined;
function end(why: Exit['reason'], graceSeconds: number): void {
  if (reason === 'exited') reason = why;
  child.kill('SIGTERM');
  graceTimer ??= setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000);
}
const deadline = setTimeout(
  () => end('deadline', spec.graceSeconds),
  Math.min(spec.timeoutSeconds * 1000, LONGEST_TIMER_MS),
);
process.on('SIGTERM', () => end('stopped', spec.graceSeconds));
process.on('SIGINT', () => {
  // Ignores Ctrl-C of the terminal: only the worker ends a step.
});

child.once('error', (error) => void finish(notStarted(error.message)));
child.once('exit', (exitCode, signal) => void finish({ exitCode, signal, reason, detail: '' }));

function notStarted(detail: string): Exit {
  return { exitCode: null, signal: null, reason: 'not_started', detail };
}

async function finish(exit: Exit): Promise<void> {
  clearTimeout(deadline);
  clearTimeout(graceTimer);
  lent.takeBack();
  await bounded?.close();
  await writeExit(folder, exit);
  // Kills the remaining processes of the group, this one included; no line after this runs.
  process.kill(-process.pid, 'SIGKILL');
}

/** Gives a program with its own user access to its output, its settings, its home and its compile cache. */
function lend({ user, environment }: RunSpec): Lent {
  if (!user) return { environment: {}, takeBack: () => undefined };
  const { uid, home } = user;
  // The program may reopen its own output (/dev/stderr), but no other file of this folder.
  fchownSync(log, uid, uid);
  const lent = lendSettings({
    file: environment['SYNCRATOR_SETTINGS_FILE'],
    dataDir: path.join(folder, '../..'),
    name: path.basename(folder),
    uid,
  });
  // A compile cache per user: a program must not run code that another one cached.
  const own = { HOME: home, NODE_COMPILE_CACHE: path.join(home, 'compile-cache') };
  return { ...lent, environment: { ...own, ...environment, ...lent.environment } };
}
