/** Tests workflows that somebody starts by hand at Temporal's port: none starts a job in the name of a schedule. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RUN_JOB, SCHEDULED_JOB, TASK_QUEUE } from '../../src/domain/workflow.ts';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('nightly', 'sync', '--mute', 'SCHEDULE=30 2 * * *\n'),
      params('often', 'sync', '--mute', 'SCHEDULE=every 1s\n'),
      params('running', 'sync', '--mute --seconds 3'),
    ],
  });
  await system.startWorker();
});
afterAll(() => system[Symbol.asyncDispose]());

async function byHand(type: string, ...args: string[]): Promise<unknown> {
  const of = { workflowId: 'x', taskQueue: TASK_QUEUE, args };
  return (await system.temporal.client.workflow.execute(type, of)) as unknown;
}

test('a scheduledJob that no schedule fired is refused and audited', async () => {
  expect(await byHand(SCHEDULED_JOB, 'dev.nightly.sync')).toBe('refused');
  const audit = await system.db
    .selectFrom('audit')
    .selectAll()
    .where('object', 'like', '%nightly%')
    .execute();
  expect(audit).toMatchObject([
    { principal: 'temporal', verb: 'start', object: 'schedule dev.nightly.sync', refused: 'not_fired' },
  ]);
  for (const table of ['jobs', 'schedule_firings'] as const) {
    const column = table === 'jobs' ? 'target' : 'schedule';
    const rows = await system.db.selectFrom(table).selectAll().where(column, 'like', '%nightly%').execute();
    expect(rows).toEqual([]);
  }
});

test('the audit has one short line for any argument of such a workflow', async () => {
  expect(await byHand(SCHEDULED_JOB, 'x'.repeat(100_000))).toBe('refused');
  expect(await byHand(SCHEDULED_JOB, 'nul\u0000')).toBe('refused');
  const lines = await system.db
    .selectFrom('audit')
    .select('object')
    .where('refused', '=', 'not_fired')
    .where('object', 'not like', '%nightly%')
    .orderBy('id')
    .execute();
  expect(lines.map(({ object }) => object)).toEqual([`schedule ${'x'.repeat(200)}`, 'schedule nul\u2400']);
});

test('a firing and a manual trigger of a schedule start its job', async () => {
  const firings = async (schedule: string) =>
    await system.db.selectFrom('schedule_firings').selectAll().where('schedule', '=', schedule).execute();
  await expect
    .poll(async () => (await firings('dev.often.sync')).length, { timeout: 20_000 })
    .toBeGreaterThan(0);
  await system.temporal.client.schedule.getHandle('dev.nightly.sync').trigger();
  await expect
    .poll(() => firings('dev.nightly.sync'), { timeout: 20_000 })
    .toMatchObject([{ outcome: 'started' }]);
});

test('a runJob with another workflow id takes no job from its run', async () => {
  const submitted = await system.submit('running', 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const { run_id: before } = await until(submitted.job.id);
  await byHand(RUN_JOB, 'dev', 'running');
  await system.until(submitted.job.id, 'completed');
  expect((await row(submitted.job.id)).run_id).toBe(before);
});

const row = async (id: number) =>
  await system.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

async function until(id: number) {
  await system.until(id, 'running');
  return await row(id);
}
