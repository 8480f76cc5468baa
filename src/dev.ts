/** `npm start`: everything Syncrator needs, on one machine, from one command to one Ctrl-C. A composition root. */
import path from 'node:path';
import { loadEnvFile, withLines } from './embedded/env-file.ts';
import { readyBlock } from './embedded/ready-block.ts';
import { createStack } from './embedded/stack.ts';
import { onNpmGone } from './embedded/starter.ts';
import { endAllSteps } from './runner/process/end-all.ts';

const startedAt = Date.now();

function say(line: string): void {
  console.log(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}

// Under `node --watch` modules report themselves to the watcher; Temporal's worker mistakes such a report of its
// thread for an answer, and ends. The parts inherit this environment.
delete process.env['WATCH_REPORT_DEPENDENCIES'];

/** `npm run dev:debug`: a port for each part, on this machine only. */
const INSPECTED = { api: ['--inspect=127.0.0.1:9229'], worker: ['--inspect=127.0.0.1:9230'] };

const here = import.meta.dirname;
const stack = createStack({
  env: process.env,
  say,
  scripts: {
    api: path.join(here, 'server.ts'),
    worker: path.join(here, 'worker.ts'),
    bundle: path.join(here, 'workflow-bundle.ts'),
    demo: path.join(here, '..', 'tools', 'demo', 'source.ts'),
  },
  ...(process.argv.includes('--inspect') && { nodeOptions: INSPECTED }),
  stopSteps: endAllSteps,
});

// A closed terminal must not keep us from stopping everything in order.
process.stdout.on('error', () => undefined);

/** npm forwards the Ctrl-C that the terminal has already sent us: a second signal this soon is the same key press. */
const SAME_PRESS_MS = 500;
let endingSince: number | undefined;

async function end(why: string): Promise<void> {
  if (endingSince !== undefined) {
    if (Date.now() - endingSince < SAME_PRESS_MS) return;
    say(`${why} again: forced`);
    await stack.kill();
    process.exit(130);
  }
  endingSince = Date.now();
  say(`${why}: stopping everything (again to force)`);
  process.exit((await stack.stop()) ? 0 : 1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signal));
onNpmGone(process.env, () => {
  if (endingSince === undefined) void end('npm is gone');
});

const ENV_FILE = '.env';
let file: ReturnType<typeof loadEnvFile>;
try {
  file = loadEnvFile(ENV_FILE, process.env);
  if (file !== undefined) {
    const kept =
      file.shadowed.length === 0 ? '' : `; exported, and therefore kept: ${file.shadowed.join(', ')}`;
    say(`${ENV_FILE}: ${file.loaded.join(', ') || 'nothing new'}${kept}`);
    // As root, programs of jobs run as other users.
    if (file.isOpen && process.getuid?.() === 0)
      say(
        `${ENV_FILE} can be read by every user of this machine, so by each job's program too: chmod 600 ${ENV_FILE}`,
      );
  }
  console.log(readyBlock(await stack.start()));
} catch (error) {
  // During a stop a failing start is expected, and `end` exits.
  if (endingSince === undefined) {
    const why = error instanceof Error ? error.message : String(error);
    say(`cannot start: ${file === undefined ? why : withLines(why, ENV_FILE, file.line)}`);
    process.exit(1);
  }
}
