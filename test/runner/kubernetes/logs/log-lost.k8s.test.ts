/** An unreadable log does not keep a job from ending, and says so. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { submitted } from '../../../support/bulk-jobs.ts';
import { params, startSystem, type System } from '../../../support/system.ts';

let ground: KubernetesGround;
let system: System;
beforeAll(async () => {
  ground = await createKubernetesGround(inject('cluster'));
  system = await startSystem({
    ground,
    params: [params('unreadable', 'sync', '--mute --seconds 1 --lines 10')],
  });
  await system.startApi();
  await system.startWorker();
});
afterAll(() => system[Symbol.asyncDispose]());

test('a job completes although its log cannot be read, and the log says that its end is missing', async () => {
  // The third path is the log: refused, as if the node did not answer.
  await ground.kubectl(
    'patch',
    'role',
    'syncrator-worker',
    '--type=json',
    '-p=[{"op":"remove","path":"/rules/2"}]',
  );
  const id = await submitted(system, 'unreadable');
  const job = await system.until(id, 'completed', 50_000);
  expect(job.steps).toMatchObject([{ outcome: 'completed', log_state: 'end_missing' }]);
  expect(await system.logText(id)).toMatch(/^\n\[Syncrator: the end of this log is missing: .*\]\n$/);
  await expect.poll(() => system.listed('unreadable'), { timeout: 20_000 }).toEqual([]);
});
