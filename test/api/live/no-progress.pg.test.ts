/**
 * A job that reports the same again and again counts as stalled, in its answer and as a metric, but not while it
 * waits.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- answers are untyped JSON, as for any client */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Registry } from 'prom-client';
import { sql } from 'kysely';
import { databaseTime } from '../../../src/db/clock.ts';
import { addJobMetrics, readJobNumbers } from '../../../src/metrics/job-metrics.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    files: {
      'dev/slow-sync': ['TARGET=slow', 'ACTION=sync', 'NO_PROGRESS_AFTER=2h'],
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs CASCADE`.execute(api.db);
});

const AT_WORK = {
  phase: 'reading',
  records_done: 5,
  records_total: 10,
  message: 'page 2',
  checkpoint: { at: 5 },
};

/** A running program that sends the reports of the test. */
async function program(where = '/sync/alpha/dev') {
  const job = await claimed(api, where);
  const { token } = await job.begin();
  let seq = 0;
  return {
    id: job.id,
    async tells(report: object) {
      const json = { seq: ++seq, ...report };
      expect((await api.call('PUT', `/jobs/${job.id}/report`, { token, json })).status).toBe(200);
    },
    show: async () => {
      const { body } = await api.call('GET', `/jobs/${job.id}`);
      return [body.stalled, body.stalled_by];
    },
  };
}

/** Makes all reports so much older, except that the newest has just come. */
const passes = async (minutes: number) =>
  await sql`UPDATE reports SET progressed_at = progressed_at - make_interval(mins => ${minutes})`.execute(
    api.db,
  );

async function measured(): Promise<number[]> {
  const registry = new Registry();
  addJobMetrics(registry, api.deps.params, () =>
    readJobNumbers(api.db, api.deps.params, databaseTime(api.db)),
  );
  return (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('syncrator_job_no_progress_seconds{'))
    .map((line) => Number(line.split(' ').at(-1)));
}

it('a job stalls after half an hour of the same report', async () => {
  const job = await program();
  await job.tells(AT_WORK);
  await passes(29);
  await job.tells(AT_WORK);
  expect([await job.show(), await measured()]).toEqual([[false, null], [0]]);
  await passes(2);
  await job.tells(AT_WORK);
  expect(await job.show()).toEqual([true, 'no_progress']);
  expect((await measured())[0]).toBeGreaterThan(50);
  await job.tells({ ...AT_WORK, records_done: 6 });
  expect([await job.show(), await measured()]).toEqual([[false, null], [0]]);
});

it.each<object>([
  { phase: 'verifying' },
  { records_done: 6 },
  { records_total: 11 },
  { added: 1 },
  { updated: 1 },
  { deleted: 1 },
  { failed: 1 },
  { message: 'page 3' },
  { checkpoint: { at: 6 } },
])('a change of %j is progress', async (change) => {
  const job = await program();
  await job.tells(AT_WORK);
  await passes(31);
  await job.tells({ ...AT_WORK, ...change });
  expect(await job.show()).toEqual([false, null]);
});

it('a job does not stall while it reports a wait, and the time counts anew from its end', async () => {
  const job = await program();
  await job.tells({ ...AT_WORK, waiting_for: null });
  await job.tells({ ...AT_WORK, waiting_for: 'the source, which is away' });
  await passes(600);
  await job.tells({ ...AT_WORK, waiting_for: 'the source, which is away' });
  expect([await job.show(), await measured()]).toEqual([[false, null], [0]]);
  await job.tells({ ...AT_WORK, waiting_for: null });
  expect(await job.show()).toEqual([false, null]);
  await passes(31);
  await job.tells({ ...AT_WORK, waiting_for: null });
  expect(await job.show()).toEqual([true, 'no_progress']);
});

it('a job stalls after the time that its params file sets', async () => {
  const job = await program('/sync/slow/dev');
  await job.tells(AT_WORK);
  await passes(119);
  await job.tells(AT_WORK);
  expect(await job.show()).toEqual([false, null]);
  await passes(2);
  expect(await job.show()).toEqual([true, 'no_progress']);
});

it('silence takes precedence, and rows of the previous version count from their own time', async () => {
  const job = await program();
  await job.tells(AT_WORK);
  await sql`UPDATE reports SET progressed_at = NULL, at = now() - interval '31 minutes'`.execute(api.db);
  expect(await job.show()).toEqual([true, 'silence']);
  await job.tells(AT_WORK);
  expect(await job.show()).toEqual([true, 'no_progress']);
});

it('an external job stalls after six hours of the same update', async () => {
  const id = (await api.call('POST', '/sync/outside/dev')).body.job_id as number;
  const tell = async (json: object) => {
    const { body } = await api.call('PUT', `/jobs/${id}`, { json });
    return [body.stalled, body.stalled_by];
  };
  const older = async (hours: number) =>
    await sql`UPDATE jobs SET progressed_at = progressed_at - make_interval(hours => ${hours})`.execute(
      api.db,
    );
  await tell({ status: 'importing', description: 'Income' });
  await older(5);
  expect(await tell({ status: 'importing' })).toEqual([false, null]);
  await older(2);
  expect(await tell({ status: 'importing', description: 'Income' })).toEqual([true, 'no_progress']);
  expect((await measured())[0]).toBeGreaterThan(3000);
  expect(await tell({ status: 'importing', log: 'file 7' })).toEqual([false, null]);
});
