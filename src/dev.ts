/** `npm start`: everything Syncrator needs, on one machine, from one command to one Ctrl-C. A composition root. */
import path from 'node:path';
import { loadEnvFile } from './embedded/env-file.ts';
import { readyBlock } from './embedded/ready-block.ts';
import { createStack } from './embedded/stack.ts';
import { endAllSteps } from './runner/process/end-all.ts';

const startedAt = Date.now();

function say(line: string): void {
  console.log(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}

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
  stopSteps: endAllSteps,
});

// A closed terminal must not keep us from stopping everything in order.
process.stdout.on('error', () => undefined);

/** npm passes on the Ctrl-C that the terminal has sent us already: what follows this closely is the same key press. */
const SAME_PRESS_MS = 500;
let endingSince: number | undefined;

async function end(signal: NodeJS.Signals): Promise<void> {
  if (endingSince !== undefined) {
    if (Date.now() - endingSince < SAME_PRESS_MS) return;
    say(`${signal} again: forced`);
    await stack.kill();
    process.exit(130);
  }
  endingSince = Date.now();
  say(`${signal}: stopping everything (again to force)`);
  process.exit((await stack.stop()) ? 0 : 1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signal));

try {
  const file = loadEnvFile('.env', process.env);
  if (file !== undefined) {
    const kept =
      file.shadowed.length === 0 ? '' : `; exported, and therefore kept: ${file.shadowed.join(', ')}`;
    say(`.env: ${file.loaded.join(', ') || 'nothing new'}${kept}`);
  }
  console.log(readyBlock(await stack.start()));
} catch (error) {
  // While ending, a start that gives up is what was asked for, and `end` exits.
  if (endingSince === undefined) {
    say(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
