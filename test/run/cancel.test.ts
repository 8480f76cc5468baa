/** Cancelling: the word `deleted` means that nothing of the job runs any more. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestForceDelete } from '../../src/db/cancel.ts';
import { workflowId } from '../../src/domain/names.ts';
import { cancel } from '../../src/temporal/cancel.ts';
import { params, startSystem, type System } from '../support/system.ts';

const TARGETS = ['queued', 'first', 'running', 'web-ui', 'terminated', 'stubborn'];
let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: TARGETS.map((target) =>
      params(target, 'sync', `--mute --seconds 120${target === 'stubborn' ? ' --stubborn' : ''}`),
    ),
  });
});
afterAll(() => system[Symbol.asyncDispose]());

async function submitted(target: string): Promise<number> {
  const result = await system.submit(target, 'sync');
  if (result.kind !== 'created') throw new Error(`not created: ${result.kind}`);
  return result.job.id;
}

const cancelJob = (id: number) => cancel(system, { id, principal: 'test' });
test('a job that nobody has claimed ends at once', async () => {
  const id = await submitted('queued');
  expect(await cancelJob(id)).toMatchObject({ effect: 'ended', job: { status: 'deleted' } });
  expect(await cancelJob(id)).toMatchObject({ effect: 'none', job: { status: 'deleted' } });
});

test('a running job is deleted with its process, by request or from the Temporal Web UI', async () => {
  await system.startWorker();
  const id = await submitted('running');
  await system.until(id, 'running');
  expect(await system.live('running')).toHaveLength(1);
  expect(await cancelJob(id)).toMatchObject({ effect: 'cancelling' });
  const job = await system.until(id, 'deleted');
  expect(await system.live('running')).toEqual([]);
  expect(job.steps).toMatchObject([{ outcome: 'cancelled' }]);

  const second = await submitted('web-ui');
  await system.until(second, 'running');
  await system.temporal.client.workflow.getHandle(workflowId({ env: 'dev', target: 'web-ui' })).cancel();
  expect(await system.until(second, 'deleted')).toMatchObject({ cancel_requested_by: 'temporal' });
  expect(await system.live('web-ui')).toEqual([]);
});

test('a cancel at any first moment leaves nothing behind', async () => {
  for (const delay of [0, 20, 60, 120, 200, 400]) {
    const id = await submitted('first');
    await new Promise((resolve) => setTimeout(resolve, delay));
    await cancelJob(id);
    await system.until(id, 'deleted');
    expect(await system.live('first')).toEqual([]);
  }
});

test('a terminated workflow fails the job once its process is gone', { timeout: 90_000 }, async () => {
  const id = await submitted('terminated');
  await system.until(id, 'running');
  await system.temporal.client.workflow
    .getHandle(workflowId({ env: 'dev', target: 'terminated' }))
    .terminate('by a test');
  const job = await system.until(id, 'failed', 80_000);
  expect(job.diagnosis).toMatchObject({ code: 'workflow_terminated' });
  expect(await system.live('terminated')).toEqual([]);
});

test('a program that ignores SIGTERM keeps the job cancelling until it is gone', {
  timeout: 90_000,
}, async () => {
  const id = await submitted('stubborn');
  await system.until(id, 'running');
  await cancelJob(id);
  await expect.poll(async () => (await system.job(id)).status).toBe('cancelling');
  expect(await system.live('stubborn')).toHaveLength(1);
  expect(await requestForceDelete(system.db, { id, principal: 'test' })).toBe(true);
  await system.until(id, 'deleted', 60_000);
  expect(await system.live('stubborn')).toEqual([]);
});
