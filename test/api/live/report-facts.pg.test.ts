/**
 * Facts that a program reports beside its progress: accepted within limits, kept with its attempt, shown with the
 * job and its target.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { thinReports } from '../../../src/db/retention/expire.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
});

/** A reporter of one attempt that may send any number of reports a second: the test gives each its own second. */
async function attempt(job: Awaited<ReturnType<typeof claimed>>, step = 0, number = 1) {
  const { ref, token } = await job.begin(step, number);
  let seq = 0;
  return {
    ref,
    tell: async (facts: Record<string, unknown>) =>
      await api.call('PUT', `/jobs/${job.id}/report`, {
        token,
        json: { seq: (seq += 1), phase: 'reading', ...facts },
      }),
  };
}
const show = async (id: number) => (await api.call('GET', `/jobs/${id}`)).body;

it('a job shows no facts until they are reported, then the newest value of each', async () => {
  const job = await claimed(api);
  const none = {
    warnings: [],
    failed_items: [],
    kept: null,
    watermark: null,
    listing: null,
    rollback_preview: null,
  };
  expect(await show(job.id)).toMatchObject(none);
  const { tell } = await attempt(job);
  const told = {
    warnings: ['the listing has no total'],
    failed_items: [{ id: 'k1', why: 'line 4: no id' }],
    kept: 9,
    listing: 'unproven',
  };
  expect((await tell({ ...told, watermark: '2026-11-22T01:00:00+01:00' })).status).toBe(200);
  const expected = { ...told, watermark: '2026-11-22T00:00:00.000Z' };
  expect(await show(job.id)).toMatchObject(expected);
  // Another report omits what has not changed.
  await tell({ kept: 10 });
  expect(await show(job.id)).toMatchObject({ ...expected, kept: 10 });
  await tell({ warnings: [], watermark: null });
  expect(await show(job.id)).toMatchObject({ ...expected, kept: 10, warnings: [], watermark: null });
  expect((await api.call('GET', '/jobs')).body[0]).toMatchObject({ kept: 10, listing: 'unproven' });
});

it('failed items of the report replace those of its checkpoint', async () => {
  const job = await claimed(api);
  const { tell } = await attempt(job);
  const ofCheckpoint = [{ id: 'c', why: 'from the checkpoint' }];
  await tell({ checkpoint: { failed: ofCheckpoint } });
  expect((await show(job.id)).failed_items).toEqual(ofCheckpoint);
  const own = [{ id: 'r', why: 'from the report' }];
  await tell({ checkpoint: { failed: ofCheckpoint }, failed_items: own });
  expect((await show(job.id)).failed_items).toEqual(own);
  await tell({ checkpoint: { failed: ofCheckpoint }, failed_items: [] });
  expect((await show(job.id)).failed_items).toEqual([]);
});

it('a job shows what its program waits for, until the program continues or ends', async () => {
  const job = await claimed(api);
  const { ref, tell } = await attempt(job);
  await tell({ waiting_for: 'the source, which asked for 5 min' });
  expect(await show(job.id)).toMatchObject({
    status: 'running',
    status_detail: 'the source, which asked for 5 min',
  });
  await tell({ records_done: 1 });
  expect((await show(job.id)).status_detail).toBe('the source, which asked for 5 min');
  await tell({ waiting_for: null });
  expect((await show(job.id)).status_detail).toBeNull();
  await tell({ waiting_for: 'the sink' });
  await job.end(ref);
  expect((await show(job.id)).status_detail).toBeNull();
});

it('a diff shows the warnings and items of both steps, the watermark of its delta and the listing of its delete', async () => {
  const job = await claimed(api, '/diff/alpha/dev');
  const delta = await attempt(job, 0);
  await delta.tell({
    warnings: ['clocks differ', 'slow source'],
    failed_items: [{ id: 'a', why: 'no time' }],
    watermark: '2026-11-22T00:00:00.000Z',
  });
  await job.end(delta.ref);
  await api.db.updateTable('steps').set({ action: 'delta' }).where('job_id', '=', job.id).execute();
  const remove = await attempt(job, 1);
  await api.db
    .updateTable('steps')
    .set({ action: 'delete' })
    .where('job_id', '=', job.id)
    .where('step', '=', 1)
    .execute();
  await remove.tell({
    warnings: ['slow source', 'nothing removed'],
    failed_items: [{ id: 'b', why: 'no id' }],
    kept: 4,
    watermark: null,
    listing: 'unproven',
  });
  await job.end(remove.ref);
  await job.finish();
  const shown = {
    warnings: ['clocks differ', 'slow source', 'nothing removed'],
    failed_items: [
      { id: 'a', why: 'no time' },
      { id: 'b', why: 'no id' },
    ],
    kept: 4,
    watermark: '2026-11-22T00:00:00.000Z',
    listing: 'unproven',
  };
  expect(await show(job.id)).toMatchObject(shown);
  const { body } = await api.call('GET', '/targets/alpha');
  expect(body.environments.find(({ env }: any) => env === 'dev')).toMatchObject({
    watermark: shown.watermark,
    listing: 'unproven',
    last_success_job_id: job.id,
  });
});

it('a new attempt has its own warnings; facts that it has not reported yet come from the one before', async () => {
  const job = await claimed(api);
  const first = await attempt(job);
  await first.tell({ warnings: ['the first'], kept: 3, failed_items: [{ id: 'a', why: 'no time' }] });
  await job.end(first.ref);
  const second = await attempt(job, 0, 2);
  await second.tell({ warnings: ['the second'] });
  expect(await show(job.id)).toMatchObject({
    warnings: ['the second'],
    kept: 3,
    failed_items: [{ id: 'a', why: 'no time' }],
  });
});

it('facts stay when the reports of an ended job are thinned', async () => {
  const job = await claimed(api);
  const { ref, tell } = await attempt(job);
  await tell({ warnings: ['early'], failed_items: [{ id: 'a', why: 'no time' }] });
  await sql`INSERT INTO reports (job_id, step, attempt, seq, phase)
    SELECT ${job.id}, 0, 1, n, 'reading' FROM generate_series(2, 5000) n`.execute(api.db);
  await job.end(ref);
  await job.finish();
  await thinReports(api.db, 0);
  expect(await show(job.id)).toMatchObject({ warnings: ['early'], failed_items: [{ id: 'a' }] });
});

it('credentials in facts are neither stored nor shown', async () => {
  const job = await claimed(api);
  const { tell } = await attempt(job);
  const url = 'postgres://user:hunter2@db/x';
  await tell({
    waiting_for: `${url} to be reachable`,
    warnings: [`${url} is slow`],
    failed_items: [{ id: 'a', why: `${url} refused it` }],
  });
  const { rows } = await sql<{ facts: string }>`SELECT facts::text FROM steps`.execute(api.db);
  for (const text of [rows[0]?.facts, JSON.stringify(await show(job.id))]) {
    expect(text).toContain('<FILTERED>@db/x');
    expect(text).not.toContain('hunter2');
  }
});

it('a watermark with any offset and age is accepted', async () => {
  for (const watermark of ['2026-11-22T00:00:00+23:59', '0100-01-01T00:00:00Z']) {
    const job = await claimed(api);
    const { ref, tell } = await attempt(job);
    expect((await tell({ watermark })).status).toBe(200);
    await job.end(ref);
    expect((await job.finish())?.status).toBe('completed');
    const { body } = await api.call('GET', '/targets/alpha');
    expect(body.environments[0].watermark).toBe(new Date(watermark).toISOString());
  }
});

it('a preview is shown as it was reported', async () => {
  const job = await claimed(api, '/rollback/alpha/dev');
  const { tell } = await attempt(job);
  const preview = {
    before: {
      job_id: 1,
      job_uid: '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55',
      action: 'sync',
      applied_at: '2026-11-22T00:00:00.000Z',
    },
    added: 1,
    updated: 2,
    removed: 3,
    changed_by_others: 0,
    digest: '3f0c9a71b2d84e65',
    watermark: null,
    sample: [{ id: 'k', change: 'updated', fields: ['name'] }],
  };
  expect((await tell({ rollback_preview: preview })).status).toBe(200);
  expect((await show(job.id)).rollback_preview).toEqual(preview);
});

it.each<[string, Record<string, unknown>]>([
  ['warnings', { warnings: Array.from({ length: 21 }, () => 'x') }],
  ['warnings.0', { warnings: ['x'.repeat(501)] }],
  ['failed_items', { failed_items: Array.from({ length: 1001 }, (_, id) => ({ id: `${id}`, why: '' })) }],
  ['failed_items', { failed_items: Array.from({ length: 60 }, () => ({ id: 'x', why: 'x'.repeat(1000) })) }],
  ['failed_items.0.record', { failed_items: [{ id: 'x', why: '', record: {} }] }],
  ['kept', { kept: -1 }],
  ['watermark', { watermark: 'yesterday' }],
  ['watermark', { watermark: '0000-01-01T00:00:00Z' }],
  ['watermark', { watermark: '9999-12-31T23:00:00-05:00' }],
  ['listing', { listing: 'partial' }],
  ['rollback_preview.before', { rollback_preview: {} }],
  ['waiting_for', { waiting_for: 'x'.repeat(1001) }],
])('a report with %s beyond its limits is refused, naming the field', async (field, facts) => {
  const { tell } = await attempt(await claimed(api));
  const { status, body } = await tell(facts);
  expect([status, body.errors.map((error: any) => error.field)]).toEqual([
    422,
    expect.arrayContaining([field]),
  ]);
});
