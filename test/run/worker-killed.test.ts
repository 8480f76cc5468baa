/** A worker is killed at each boundary of a step; another one goes on: nothing lost, nothing done twice. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params, startSystem, type System } from '../support/system.ts';

/** target → where the worker is when it dies; all of them die of the same kill. */
const POINTS = {
  'before-list': 'list:before:1',
  'before-create': 'launch:before:1',
  'after-create': 'launch:after:1',
  watching: 'observe:before:1',
  'second-create': 'launch:before:2',
  'second-created': 'launch:after:2',
  'second-watched': 'observe:after:3',
  'before-forget': 'forget:before:1',
  'after-forget': 'forget:after:2',
};
const evidence = mkdtempSync(path.join(os.tmpdir(), 'syncrator-evidence-'));
let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: Object.keys(POINTS).flatMap((target) =>
      ['delta', 'delete'].map((action) => params(target, action, `--mute --touch ${evidence}/${target}`)),
    ),
  });
});
afterAll(() => system[Symbol.asyncDispose]());

test('every job completes, and each of its steps ran exactly once', { timeout: 120_000 }, async () => {
  const held = await system.startWorker('test/support/held-worker.ts', { HOLD_AT: JSON.stringify(POINTS) });
  const ids = new Map<string, number>();
  for (const target of Object.keys(POINTS)) ids.set(target, await submitTwoSteps(target));
  await expect
    .poll(
      () => Object.keys(POINTS).filter((target) => !existsSync(path.join(system.dataDir, 'held', target))),
      {
        timeout: 60_000,
      },
    )
    .toEqual([]);
  await held.kill('SIGKILL');
  await system.startWorker();
  for (const [target, id] of ids) {
    const job = await system.until(id, 'completed', 60_000);
    expect(job.steps.map((s) => [s.step, s.attempt, s.outcome])).toEqual([
      [0, 1, 'completed'],
      [1, 1, 'completed'],
    ]);
    const ran = readFileSync(path.join(evidence, target), 'utf8').trim().split('\n');
    expect(ran, target).toEqual([`delta ${id}`, `delete ${id}`]);
  }
});

/** A job of two steps, as a diff is, over the test's own program. */
async function submitTwoSteps(target: string): Promise<number> {
  const submitted = await system.submit(target, 'delta', 'delete');
  if (submitted.kind !== 'created') throw new Error(`not created: ${submitted.kind}`);
  return submitted.job.id;
}
