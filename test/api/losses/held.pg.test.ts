/** Held records on their way from a program into the waiting set of its target: page by page, whole or not at all. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { requestCancel } from '../../../src/db/jobs/cancel.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { type Api, claimed, SECRET, setup } from '../support.ts';
import { digestOf, forgetAll, heldRecord, hold, MISSING_SINCE, upload, waiting } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const page = (number: number, ids: readonly string[], last = false) => ({
  page: number,
  last,
  records: ids.map(heldRecord),
});
const recordsOf = async (id: number, query = '') =>
  (await api.call('GET', `/losses/${id}/records${query}`)).body.map((record: any) => record.id);

it('the waiting set appears with its last page, and not before', async () => {
  const job = await claimed(api);
  const attempt = await job.begin();
  expect((await upload(api, attempt, page(0, ['a', 'b']))).body).toEqual({ stored: 2 });
  expect(await waiting(api)).toBeUndefined();
  expect((await upload(api, attempt, page(1, ['c'], true))).body).toEqual({ stored: 3 });
  const loss = await waiting(api);
  expect(loss).toMatchObject({
    env: 'dev',
    target: 'alpha',
    status: 'waiting',
    reason: 'over_threshold',
    job_id: job.id,
    started_by: 'admin',
    count: 3,
    live: 100,
    percent: 3,
    pinned: 0,
    digest: digestOf(['a', 'b', 'c']),
    overdue: false,
    approvals: [],
    approvals_needed: 1,
    removal_job_id: null,
    resolved_at: null,
  });
  expect(Date.parse(loss.expires_at) - Date.parse(loss.born_at)).toBe(7 * 24 * 3_600_000);
  expect(await recordsOf(loss.id)).toEqual(['a', 'b', 'c']);
  const [first] = (await api.call('GET', `/losses/${loss.id}/records?limit=1`)).body;
  expect(first).toEqual({ ...heldRecord('a'), missing_since: MISSING_SINCE, pinned_until: null });
});

it('the reason of a loss is that of the latest job that held further records', async () => {
  const job = await claimed(api);
  const attempt = await job.begin();
  const records = ['a', 'b'].map(heldRecord);
  expect((await upload(api, attempt, { records, reason: 'anomaly' })).status).toBe(200);
  await job.end(attempt.ref);
  await job.finish();
  expect((await waiting(api)).reason).toBe('anomaly');
  await hold(api, ['a']);
  expect((await waiting(api)).reason).toBe('anomaly');
  await hold(api, ['a', 'c']);
  expect((await waiting(api)).reason).toBe('over_threshold');
});

it('ids count and sort as bytes, whatever they hold', async () => {
  const ids = ['"', '\\', 'A', 'Z', 'a', 'ß', '\u2028', '名', '😀'];
  await hold(api, ids);
  const sorted = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const loss = await waiting(api);
  expect([loss.digest, await recordsOf(loss.id)]).toEqual([digestOf(ids), sorted]);
});

it('a repeated page is answered as before; one out of order names the expected page', async () => {
  const attempt = await (await claimed(api)).begin();
  await upload(api, attempt, page(0, ['a']));
  expect((await upload(api, attempt, page(0, ['a']))).body).toEqual({ stored: 1 });
  await upload(api, attempt, page(1, ['b']));
  expect((await upload(api, attempt, page(1, ['b']))).body).toEqual({ stored: 2 });
  const early = await upload(api, attempt, page(3, ['d']));
  expect([early.status, early.body.code, early.body.expected]).toEqual([409, 'page_out_of_order', 2]);
  const other = await upload(api, attempt, page(1, ['c']));
  expect([other.status, other.body.expected]).toEqual([409, 2]);
  // The answer to the last page was lost, too.
  expect((await upload(api, attempt, page(2, ['c'], true))).body).toEqual({ stored: 3 });
  expect((await upload(api, attempt, page(2, ['c'], true))).body).toEqual({ stored: 3 });
  const after = await upload(api, attempt, page(3, ['d'], true));
  expect([after.status, after.body.expected]).toEqual([409, 0]);
  expect((await waiting(api)).count).toBe(3);
});

it('page 0 begins anew: nothing of an unfinished upload comes into the set', async () => {
  const attempt = await (await claimed(api)).begin();
  await upload(api, attempt, page(0, ['a', 'b']));
  await upload(api, attempt, page(0, ['c']));
  await upload(api, attempt, page(1, ['d'], true));
  expect(await recordsOf((await waiting(api)).id)).toEqual(['c', 'd']);
});

it('an interrupted upload changes nothing; the next attempt’s replaces the set, and the first is refused', async () => {
  await hold(api, ['old']);
  const job = await claimed(api);
  const first = await job.begin(0, 1);
  await upload(api, first, page(0, ['a']));
  await job.end(first.ref);
  expect(await recordsOf((await waiting(api)).id)).toEqual(['old']);
  const second = await job.begin(0, 2);
  await upload(api, second, page(0, ['b'], true));
  const late = await upload(api, first, page(1, ['z'], true));
  expect([late.status, late.body.code]).toEqual([410, 'ended']);
  expect(await recordsOf((await waiting(api)).id)).toEqual(['b']);
});

it('an attempt that ends while its last page is being stored changes nothing', async () => {
  await hold(api, ['old']);
  const job = await claimed(api);
  const attempt = await job.begin();
  let late: ReturnType<typeof upload> | undefined;
  await api.db.transaction().execute(async (tx) => {
    await tx.selectFrom('losses').select('id').forUpdate().execute();
    late = upload(api, attempt, page(0, ['a'], true));
    const waits = async () => {
      const { rows } = await sql<{ n: number }>`
        SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(api.db);
      return rows[0]?.n;
    };
    await expect.poll(waits).toBe(1);
    await job.end(attempt.ref);
  });
  const answer = await late;
  expect([answer?.status, answer?.body.code]).toEqual([410, 'ended']);
  expect(await recordsOf((await waiting(api)).id)).toEqual(['old']);
});

it('ids out of order are refused by name', async () => {
  const attempt = await (await claimed(api)).begin();
  await upload(api, attempt, page(0, ['b']));
  const within = await upload(api, attempt, page(1, ['d', 'c']));
  expect([within.status, within.body.errors]).toEqual([
    422,
    [{ field: 'records', message: expect.stringContaining("'c'") }],
  ]);
  expect((await upload(api, attempt, page(1, ['a']))).status).toBe(422);
  expect((await upload(api, attempt, page(1, ['c'], true))).status).toBe(200);
});

it('a set that grows keeps its birth; one that shrinks to nothing is resolved', async () => {
  await hold(api, ['a', 'b']);
  const born = await waiting(api);
  const second = await hold(api, ['a', 'b', 'c']);
  const grown = await waiting(api);
  expect(grown).toMatchObject({ id: born.id, born_at: born.born_at, count: 3, job_id: second });
  expect(grown.changed_at > born.changed_at).toBe(true);
  // Told again without a change.
  await hold(api, ['a', 'b', 'c']);
  expect((await waiting(api)).changed_at).toBe(grown.changed_at);
  await hold(api, []);
  expect(await waiting(api)).toBeUndefined();
  const resolved = (await api.call('GET', '/losses?status=resolved')).body;
  expect(resolved).toMatchObject([{ id: born.id, status: 'resolved', count: 3, removal_job_id: null }]);
  expect(await recordsOf(born.id)).toEqual([]);
  // What is held later is another loss.
  await hold(api, ['a']);
  expect((await waiting(api)).id).not.toBe(born.id);
  expect((await api.call('GET', '/losses?status=all')).body).toHaveLength(2);
});

it('an empty set without a loss stores nothing', async () => {
  await hold(api, []);
  expect((await api.call('GET', '/losses?status=all')).body).toEqual([]);
});

it('the routes of a program refuse as its reports do', async () => {
  const job = await claimed(api);
  const { ref, token } = await job.begin();
  const attempts = [
    [api.token, 401, 'unauthorized'],
    [
      makeReportToken([SECRET], { uid: '11111111-1111-4111-8111-111111111111', step: 0, attempt: 1 }),
      403,
      'other_token',
    ],
    [makeReportToken([SECRET], { uid: job.uid, step: 0, attempt: 7 }), 404, 'unknown_attempt'],
  ] as const;
  for (const [bearer, status, code] of attempts)
    for (const asked of [
      await upload(api, { ref, token: bearer }, {}),
      await api.call('GET', `/jobs/${job.id}/approved-removals`, { token: bearer }),
    ])
      expect([asked.status, asked.body.code]).toEqual([status, code]);
  const none = await api.call('GET', `/jobs/${job.id}/approved-removals`, { token });
  expect([none.status, none.body.code]).toEqual([404, 'no_approval']);
  await requestCancel(api.db, { id: job.id, principal: 'test', origin: {} });
  expect((await upload(api, { ref, token }, {})).body.code).toBe('cancelling');
  await job.finish({ kind: 'cancelled' });
  const ended = await upload(api, { ref, token }, {});
  expect([ended.status, ended.body.code]).toEqual([410, 'ended']);
});

it('a page of more than 500 records, and a body of more than 2 MiB, are refused', async () => {
  const attempt = await (await claimed(api)).begin();
  const ids = Array.from({ length: 501 }, (_, at) => `k${String(at).padStart(4, '0')}`);
  expect((await upload(api, attempt, page(0, ids))).status).toBe(422);
  const large = { ...heldRecord('a'), record: { text: 'x'.repeat(2 * 1024 * 1024) } };
  expect((await upload(api, attempt, { records: [large] })).status).toBe(413);
});

it('a record that no body may hold is listed without its contents, and keeps no other from being told', async () => {
  const attempt = await (await claimed(api)).begin();
  let deep: unknown = 'the bottom';
  for (let level = 0; level < 40; level++) deep = { deep };
  const json = JSON.stringify({
    page: 0,
    last: true,
    live: 100,
    records: [
      { ...heldRecord('a'), record: { deep } },
      { ...heldRecord('b'), record: JSON.parse('{"__proto__": 1}') },
      heldRecord('c'),
    ],
  });
  const headers = { 'content-type': 'application/json' };
  const { token, ref } = attempt;
  const answer = await api.call('POST', `/jobs/${ref.jobId}/held`, { token, headers, body: json });
  expect(answer.body).toEqual({ stored: 3 });
  const { body } = await api.call('GET', `/losses/${(await waiting(api)).id}/records`);
  expect(body.map(({ record }: any) => record)).toEqual([null, null, heldRecord('c').record]);
});

it.each(['0001-01-01T00:00:00.000Z', '1969-07-20T20:17:40.000Z', '9999-12-31T23:59:59.000Z'])(
  'a record that its source changed at %s is told like any other',
  async (time) => {
    const job = await claimed(api);
    const records = [{ ...heldRecord('a'), updated_at: time }];
    expect((await upload(api, await job.begin(), { records })).status).toBe(200);
    const { id } = await waiting(api);
    expect((await api.call('GET', `/losses/${id}/records`)).body[0].updated_at).toBe(time);
  },
);

it.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-10:00'])(
  '%s, which no source can tell, is refused',
  async (time) => {
    const job = await claimed(api);
    const records = [{ ...heldRecord('a'), updated_at: time }];
    expect((await upload(api, await job.begin(), { records })).status).toBe(422);
  },
);

it('records are listed behind an id and by a part of it, with a link to the next page', async () => {
  await hold(api, ['a1', 'a2', 'b1', 'b2', 'c1']);
  const { id } = await waiting(api);
  expect(await recordsOf(id, '?id=2')).toEqual(['a2', 'b2']);
  expect(await recordsOf(id, '?after=b1')).toEqual(['b2', 'c1']);
  const seen: string[] = [];
  for (let next: string | undefined = `/losses/${id}/records?limit=2`; next !== undefined; ) {
    const { body, headers } = await api.call('GET', next);
    seen.push(...body.map((record: any) => record.id));
    next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  }
  expect(seen).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
  expect((await api.call('GET', '/losses/999/records')).body.code).toBe('unknown_loss');
  expect((await api.call('GET', '/losses/999')).body.code).toBe('unknown_loss');
});

it('public reads show losses, but never the contents of their records', async () => {
  await using open = await setup({ env: { PUBLIC_READS: 'true' } });
  await hold(open, ['a']);
  const { id } = await waiting(open);
  const asked = { token: null };
  expect((await open.call('GET', '/losses', asked)).body).toHaveLength(1);
  expect((await open.call('GET', `/losses/${id}`, asked)).status).toBe(200);
  expect((await open.call('GET', `/losses/${id}/records`, asked)).status).toBe(401);
  expect((await open.call('GET', `/losses/${id}/records`)).status).toBe(200);
});

it('a job shows how many records it holds', async () => {
  const job = await claimed(api);
  const { token } = await job.begin();
  const show = async () => (await api.call('GET', `/jobs/${job.id}`)).body;
  expect(await show()).toMatchObject({ held: null });
  const report = { seq: 1, phase: 'done', kept: 5, held: 3 };
  await api.call('PUT', `/jobs/${job.id}/report`, { token, json: report });
  expect(await show()).toMatchObject({ kept: 5, held: 3 });
});
