/**
 * The supervisor of one attempt, a process of its own that outlives the worker: runs the program in its own process
 * group, holds it to its deadline, ends it on SIGTERM, and writes exit.json. `node supervisor.ts <folder>`; what
 * is secret comes through the environment. It imports next to nothing, because there is one per running step.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { ownIdentity } from './process-group.ts';
import { type Exit, LOG, readSpec, takeSupervision, writeExit } from './run-folder.ts';

/** Node's timers end at 2^31-1 milliseconds; a longer deadline is none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const folder = process.argv[2] ?? '';
const spec = await readSpec(folder);
if (!spec || !(await takeSupervision(folder, ownIdentity()))) process.exit(0);

const [command = '', ...args] = spec.argv;
const log = openSync(path.join(folder, LOG), 'a', 0o600);
const child = spawn(command === 'node' ? process.execPath : command, args, {
  env: { ...process.env, ...spec.environment },
  stdio: ['ignore', log, log],
});
closeSync(log);

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
  // A terminal's Ctrl-C is not ours to obey: whoever started the step ends it.
});

child.once(
  'error',
  (error) => void finish({ exitCode: null, signal: null, reason: 'not_started', detail: error.message }),
);
child.once('exit', (exitCode, signal) => void finish({ exitCode, signal, reason, detail: '' }));

async function finish(exit: Exit): Promise<void> {
  clearTimeout(deadline);
  clearTimeout(graceTimer);
  await writeExit(folder, exit);
  // What the program left behind in the group goes with us; nothing after this line runs.
  process.kill(-process.pid, 'SIGKILL');
}
