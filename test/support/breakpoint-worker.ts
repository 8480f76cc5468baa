/**
 * A real worker that pauses at given points of its runner's calls, so that a test can kill or stop it exactly
 * there. HOLD_AT is JSON: target → `<call>:<before|after>:<nth>`. At the point it writes `<data>/held/<target>` and
 * waits until `<data>/release` exists.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Runtime } from '@temporalio/worker';
import { readConfig } from '../../src/config/config.ts';
import type { Runner } from '../../src/runner/runner.ts';
import { runWorker } from '../../src/worker.ts';

const config = readConfig();
const holdAt = JSON.parse(process.env['HOLD_AT'] ?? '{}') as Record<string, string>;
const counts = new Map<string, number>();
const targetOfName = new Map<string, string>();

async function pass(call: string, side: 'before' | 'after', target: string | undefined): Promise<void> {
  if (target === undefined) return;
  const point = `${target} ${call}:${side}`;
  const nth = (counts.get(point) ?? 0) + 1;
  counts.set(point, nth);
  if (holdAt[target] !== `${call}:${side}:${nth}`) return;
  mkdirSync(path.join(config.dataDir, 'held'), { recursive: true });
  writeFileSync(path.join(config.dataDir, 'held', target), String(process.pid));
  while (!existsSync(path.join(config.dataDir, 'release'))) await wait(20);
}

function held<A extends unknown[], R>(
  call: string,
  targetOf: (...args: A) => string | undefined,
  inner: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    await pass(call, 'before', targetOf(...args));
    const result = await inner(...args);
    await pass(call, 'after', targetOf(...args));
    return result;
  };
}

function wrapRunner(runner: Runner): Runner {
  const byName = (step: { name: string }) => targetOfName.get(step.name);
  return {
    ...runner,
    launch: held(
      'launch',
      (step) => {
        targetOfName.set(step.name, step.labels.target);
        return step.labels.target;
      },
      runner.launch,
    ),
    list: held('list', (of) => (of && 'target' in of ? of.target : undefined), runner.list),
    observe: held('observe', byName, runner.observe),
    remove: held('remove', byName, runner.remove),
    forget: held('forget', byName, runner.forget),
  };
}

const abort = new AbortController();
process.on('SIGTERM', () => abort.abort());
process.on('disconnect', () => abort.abort());
Runtime.install({ shutdownSignals: [] });
await runWorker(config, abort.signal, { wrapRunner });
process.exit(0);
