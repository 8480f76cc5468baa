/** Tests maintenance: holds starts back, lets running jobs finish, releases held jobs in order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/domain/names.ts';
import { setMaintenance } from '../../src/engine/maintenance.ts';
import { params, startSystem, type System } from '../support/system.ts';

const HELD = ['one', 'two', 'three'];
let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('running', 'sync', '--mute --seconds 2'),
      ...HELD.map((target) => params(target, 'sync', '--mute')),
    ],
  });
  await system.startWorker();
});
afterAll(() => system[Symbol.asyncDispose]());

async function submitted(target: string) {
  const result = await system.submit(target, 'sync');
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.job;
}

test('maintenance holds new jobs, lets running ones finish, and its end starts the held ones by id', async () => {
  const running = await submitted('running');
  await system.until(running.id, 'running');
  await setMaintenance(system, { paused: true, msg: 'moving house', principal: 'test' });
  const held = [];
  for (const target of HELD) held.push(await submitted(target));
  for (const job of held) expect(job).toMatchObject({ status: 'waiting', status_reason: 'maintenance' });
  await system.until(running.id, 'completed');
  for (const job of held) expect(await system.job(job.id)).toMatchObject({ status: 'waiting' });

  await setMaintenance(system, { paused: false, msg: 'moved', principal: 'test' });
  const starts = [];
  for (const job of held) {
    await system.until(job.id, 'completed');
    const handle = system.temporal.client.workflow.getHandle(workflowId(job));
    starts.push((await handle.describe()).startTime.getTime());
  }
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});
