/** A job's progress over time: the ends of every attempt, and evenly spread points between. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readCheckpoint } from '../../../src/db/jobs/checkpoints.ts';
import { storeReport } from '../../../src/db/jobs/reports.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs CASCADE`.execute(api.db);
});

const points = async (id: number) => (await api.call('GET', `/jobs/${id}/reports`)).body;

/** Reports whose n-th has sequence number 2n, comes after n seconds, and has n records. */
const tell = async (ref: { jobId: number; step: number; attempt: number }, count: number) =>
  sql`INSERT INTO reports (job_id, step, attempt, seq, at, phase, records_done, records_total)
    SELECT ${ref.jobId}, ${ref.step}, ${ref.attempt}, 2 * n,
      '2026-11-22T01:00:00Z'::timestamptz + n * interval '1 second', 'reading', n, ${count}
    FROM generate_series(1, ${count}::int) n`.execute(api.db);

it('the points are what the attempts reported, in the order of steps and attempts', async () => {
  const job = await claimed(api);
  expect(await points(job.id)).toEqual([]);
  const first = await job.begin();
  const told = { seq: 1, phase: 'reading', records_done: 250, records_total: 1000 };
  await api.call('PUT', `/jobs/${job.id}/report`, { token: first.token, json: told });
  await job.end(first.ref);
  const second = await job.begin(0, 2);
  const counting = { seq: 1, phase: 'counting at http://me:s3cret@source/' };
  await api.call('PUT', `/jobs/${job.id}/report`, { token: second.token, json: counting });
  const { status, text, body } = await api.call('GET', `/jobs/${job.id}/reports`);
  expect(status).toBe(200);
  expect(text).not.toContain('s3cret');
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(body).toEqual([
    { step: 0, attempt: 1, at, phase: 'reading', records_done: 250, records_total: 1000 },
    {
      step: 0,
      attempt: 2,
      at,
      phase: 'counting at http://<FILTERED>@source/',
      records_done: null,
      records_total: null,
    },
  ]);
});

it('the points of a job are all of its first 500 reports, and of more 500 with the ends of each attempt', async () => {
  const job = await claimed(api);
  const { ref: long } = await job.begin(0, 1);
  await tell(long, 500);
  expect(await points(job.id)).toHaveLength(500);
  for (const [step, attempt, count] of [
    [0, 2, 1],
    [0, 3, 2],
    [1, 1, 9_000],
  ] as const)
    await tell((await job.begin(step, attempt)).ref, count);
  const all = await points(job.id);
  expect(all).toHaveLength(500);
  const done = (step: number, attempt: number): number[] =>
    all
      .filter((point: any) => point.step === step && point.attempt === attempt)
      .map((point: any) => point.records_done);
  expect(done(0, 2)).toEqual([1]);
  expect(done(0, 3)).toEqual([1, 2]);
  for (const [of, count] of [
    [done(0, 1), 500],
    [done(1, 1), 9_000],
  ] as const) {
    expect([of.at(0), of.at(-1)]).toEqual([1, count]);
    const gaps = of.slice(1).map((value, n) => value - (of[n] ?? 0));
    // 493 of the 9,496 others fit: each 19th or 20th; the first and the last gap take the remainder.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20);
    expect(Math.min(...gaps.slice(1, -1))).toBeGreaterThanOrEqual(19);
  }
});

it('the points of an unknown job are 404', async () => {
  const answer = await api.call('GET', '/jobs/999999/reports');
  expect([answer.status, answer.body.code]).toEqual([404, 'unknown_job']);
});

const ROUNDS = 6;
const EACH = 700;

it('a long-running job keeps its whole curve in a bounded number of rows, and only the newest checkpoint', async () => {
  const job = await claimed(api);
  const { ref } = await job.begin();
  const rows = async () =>
    (
      await sql<{ seq: number; at: Date; checkpoint: unknown }>`SELECT seq, at, checkpoint FROM reports
        WHERE job_id = ${job.id} ORDER BY seq`.execute(api.db)
    ).rows;
  const checkpoint = { cursor: 'x'.repeat(1_000) };
  const last = ROUNDS * EACH;
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Behaves like a program that reports each second, without taking the time.
    await sql`UPDATE reports SET at = at - ${EACH} * interval '1 second' WHERE job_id = ${job.id}`.execute(
      api.db,
    );
    await sql`INSERT INTO reports (job_id, step, attempt, seq, at, phase, records_done)
      SELECT ${job.id}, 0, 1, n, now() - (${round * EACH} - n) * interval '1 second', 'reading', n
      FROM generate_series(${(round - 1) * EACH + 1}::int, ${round * EACH - 1}::int) n`.execute(api.db);
    await storeReport(api.db, ref, {
      seq: round * EACH,
      phase: 'reading',
      records_done: round * EACH,
      checkpoint,
    });
  }
  const kept = await rows();
  expect(kept.length).toBeLessThanOrEqual(504);
  expect(kept.length).toBeGreaterThan(400);
  expect(kept.filter((row) => row.checkpoint !== null).map(({ seq }) => seq)).toEqual([last]);
  expect([kept[0]?.seq, kept.at(-1)?.seq]).toEqual([1, last]);
  const gaps = kept.slice(1).map(({ seq }, n) => seq - (kept[n]?.seq ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.ceil(last / 500));
  expect(await readCheckpoint(api.db, job.id, 0)).toEqual(checkpoint);
  const shown = await points(job.id);
  expect([shown[0].records_done, shown.at(-1).records_done]).toEqual([1, last]);
});
