/** A plan on its way from a program into the api: page by page, whole or not at all, and what it then shows. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { type Api, claimed, SECRET, setup } from '../support.ts';
import { DIGEST, forgetAll, plan, planned, recordsOf, show, SOME, summaryOf, upload } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const PLAN = '/plan/sync/alpha/dev';
const page = (number: number, records: readonly object[], last = false) => ({
  page: number,
  last,
  records,
  ...(last ? { summary: summaryOf(SOME) } : {}),
});

it('a plan appears with its last page, and not before; it shows counts, and every record with its changed fields', async () => {
  const job = await claimed(api, PLAN);
  const attempt = await job.begin();
  const [first, ...others] = SOME;
  expect((await upload(api, attempt, page(0, [first ?? {}]))).body).toEqual({ stored: 1 });
  const early = await api.call('GET', `/plans/${job.id}`);
  expect([early.status, early.body.code]).toEqual([404, 'unknown_plan']);
  expect((await upload(api, attempt, page(1, others, true))).body).toEqual({ stored: 4 });
  const shown = await show(api, job.id);
  expect(shown).toEqual({
    id: job.id,
    env: 'dev',
    target: 'alpha',
    action: 'sync',
    of: 'sync',
    state: 'ready',
    digest: DIGEST,
    live: 100,
    listed: 99,
    added: 1,
    updated: 2,
    removed: 1,
    held: 0,
    kept: 0,
    watermark: '2026-11-22T01:00:00.000Z',
    shown: { added: 1, updated: 2, removed: 1, held: 0 },
    started_by: 'admin',
    born_at: expect.any(String),
    expires_at: expect.any(String),
    applied_by: null,
    replaced_by: null,
  });
  expect(Date.parse(shown.expires_at) - Date.parse(shown.born_at)).toBe(7 * 24 * 3_600_000);
  const { body } = await api.call('GET', `/plans/${job.id}/records`);
  expect(body).toEqual([
    { ...planned('added', 'b'), changed: null },
    { ...planned('updated', 'a'), changed: ['name'] },
    { ...planned('updated', 'c'), changed: ['name'] },
    { ...planned('removed', 'a2'), changed: null },
  ]);
});

it('fields that differ are told by their values, whatever the order of fields within', async () => {
  const before = { id: 'a', gone: 1, deep: { x: 1, y: [1, 2] }, list: [1, 2], none: null, __x: 1 };
  const after = { deep: { y: [1, 2], x: 1 }, list: [2, 1], come: null, none: 0, id: 'a', __x: 1 };
  const id = await plan(api, { records: [{ id: 'a', kind: 'updated', before, after } as any] });
  const { body } = await api.call('GET', `/plans/${id}/records`);
  expect(body[0].changed).toEqual(['come', 'gone', 'list', 'none']);
});

it('records are paged over all kinds by the Link header, within one kind, and by a part of the id', async () => {
  const records = [
    ...['a', 'b', 'c'].map((id) => planned('added', id)),
    ...['a', 'b:1', 'ä'].map((id) => planned('updated', id)),
    ...['a', 'z'].map((id) => planned('held', id)),
  ];
  const id = await plan(api, { records });
  const all = records.map((record) => `${record.kind} ${record.id}`);
  expect(await recordsOf(api, id)).toEqual(all);
  const seen: string[] = [];
  for (let next: string | undefined = `/plans/${id}/records?limit=3`; next !== undefined; ) {
    const { body, headers } = await api.call('GET', next);
    seen.push(...body.map((record: any) => `${record.kind} ${record.id}`));
    next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  }
  expect(seen).toEqual(all);
  expect(await recordsOf(api, id, '?kind=updated&after=updated:a')).toEqual(['updated b:1', 'updated ä']);
  expect(await recordsOf(api, id, '?id=b')).toEqual(['added b', 'updated b:1']);
  for (const after of ['a', 'other:a', '', ':']) {
    const bad = await api.call('GET', `/plans/${id}/records?after=${after}`);
    expect([bad.status, bad.body.code]).toEqual([400, 'bad_query']);
  }
});

it('ids count as bytes, whatever they hold; kinds come in their order', async () => {
  const ids = [
    '"',
    '\\',
    '--id',
    'A',
    '__proto__',
    'a',
    'constructor',
    'ß',
    '\u2028',
    '名',
    '😀',
    'x'.repeat(1000),
  ];
  const sorted = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const id = await plan(api, { records: sorted.map((one) => planned('added', one)) });
  expect(await recordsOf(api, id)).toEqual(sorted.map((one) => `added ${one}`));
  const attempt = await (await claimed(api, PLAN)).begin();
  const wrong = [planned('removed', 'a'), planned('added', 'b')];
  const kinds = await upload(api, attempt, page(0, wrong, true));
  expect([kinds.status, kinds.body.errors[0].message]).toEqual([422, expect.stringContaining("'b'")]);
  const twice = await upload(api, attempt, page(0, [planned('added', 'a'), planned('added', 'a')], true));
  expect(twice.status).toBe(422);
  // One id may be of two kinds only by a fault of the program; the api stores what it is told.
  expect((await upload(api, attempt, page(0, SOME, true))).status).toBe(200);
});

it('a repeated page is answered as before, one out of order names the expected one, and page 0 begins anew', async () => {
  const job = await claimed(api, PLAN);
  const attempt = await job.begin();
  await upload(api, attempt, page(0, [planned('added', 'x')]));
  expect((await upload(api, attempt, page(0, [planned('added', 'x')]))).body).toEqual({ stored: 1 });
  const early = await upload(api, attempt, page(2, [], true));
  expect([early.status, early.body.code, early.body.expected]).toEqual([409, 'page_out_of_order', 1]);
  await upload(api, attempt, page(0, SOME.slice(0, 1)));
  const last = page(1, SOME.slice(1), true);
  expect((await upload(api, attempt, last)).body).toEqual({ stored: 4 });
  expect((await upload(api, attempt, last)).body).toEqual({ stored: 4 });
  expect(await recordsOf(api, job.id)).toEqual(['added b', 'updated a', 'updated c', 'removed a2']);
});

it('a later attempt of the same job replaces the plan of an earlier one, whose late page is refused', async () => {
  const job = await claimed(api, PLAN);
  const first = await job.begin(0, 1);
  await upload(api, first, page(0, SOME, true));
  await job.end(first.ref);
  const second = await job.begin(0, 2);
  await upload(api, second, page(0, []));
  expect((await show(api, job.id)).added).toBe(1);
  const other = { ...page(1, [planned('held', 'h')], true), summary: summaryOf([planned('held', 'h')]) };
  await upload(api, second, other);
  expect(await show(api, job.id)).toMatchObject({ added: 0, held: 1, shown: { added: 0, held: 1 } });
  expect(await recordsOf(api, job.id)).toEqual(['held h']);
  const late = await upload(api, first, page(0, SOME, true));
  expect([late.status, late.body.code]).toEqual([410, 'ended']);
});

it('a summary belongs on the last page and on no other, and names the action that the job plans', async () => {
  const attempt = await (await claimed(api, PLAN)).begin();
  const named = (answer: { body: any }) => answer.body.errors?.map(({ field }: any) => field);
  const without = await upload(api, attempt, { page: 0, last: true, records: [] });
  const early = await upload(api, attempt, { page: 0, last: false, records: [], summary: summaryOf([]) });
  expect([without.status, named(without), early.status, named(early)]).toEqual([
    422,
    ['summary'],
    422,
    ['summary'],
  ]);
  const other = await upload(api, attempt, {
    page: 0,
    last: true,
    records: [],
    summary: summaryOf([], { of: 'delete' }),
  });
  expect([other.status, named(other)]).toEqual([422, ['summary.of']]);
});

it('only a job that plans may upload a plan; the route refuses strangers as that of the reports does', async () => {
  const sync = await claimed(api, '/sync/beta/dev');
  const { ref, token } = await sync.begin();
  const none = await upload(api, { ref, token }, page(0, SOME, true));
  expect([none.status, none.body.code]).toEqual([404, 'no_plan']);
  const job = await claimed(api, PLAN);
  const attempt = await job.begin();
  const asked = [
    [api.token, 401, 'unauthorized'],
    [token, 403, 'other_token'],
    [makeReportToken([SECRET], { uid: job.uid, step: 0, attempt: 7 }), 404, 'unknown_attempt'],
  ] as const;
  for (const [bearer, status, code] of asked) {
    const answer = await upload(api, { ref: attempt.ref, token: bearer }, page(0, SOME, true));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  }
});

it('a page of more than 500 records is refused; so is a plan of more than 100,000', async () => {
  const job = await claimed(api, PLAN);
  const attempt = await job.begin();
  const records = Array.from({ length: 501 }, (_, at) => planned('added', `k${String(at).padStart(4, '0')}`));
  expect((await upload(api, attempt, page(0, records))).status).toBe(422);
  await upload(api, attempt, page(0, records.slice(0, 1)));
  await api.db.updateTable('plan_uploads').set({ stored: 100_000 }).execute();
  const many = await upload(api, attempt, page(1, records.slice(1, 2), true));
  expect([many.status, many.body.errors[0].message]).toEqual([
    422,
    expect.stringContaining('at most 100000'),
  ]);
});

it('a content that no body may have is left out, and keeps no other from being shown', async () => {
  const job = await claimed(api, PLAN);
  const { token, ref } = await job.begin();
  let deep: unknown = 'the bottom';
  for (let level = 0; level < 40; level++) deep = { deep };
  const records = [
    { ...planned('updated', 'a'), before: { deep } },
    { ...planned('updated', 'b'), after: JSON.parse('{"__proto__": 1}') },
    { ...planned('updated', 'c'), after: { text: 'a\u0000b' } },
    { ...planned('updated', 'd') },
  ];
  const body = JSON.stringify({ page: 0, last: true, records, summary: summaryOf(records) });
  const headers = { 'content-type': 'application/json' };
  expect((await api.call('POST', `/jobs/${ref.jobId}/plan`, { token, headers, body })).body).toEqual({
    stored: 4,
  });
  const shown = (await api.call('GET', `/plans/${job.id}/records`)).body;
  expect(shown.map(({ before, after, changed }: any) => [before === null, after === null, changed])).toEqual([
    [true, false, null],
    [false, true, null],
    [false, true, null],
    [false, false, ['name']],
  ]);
});

it('public reads show plans, but never the contents of their records', async () => {
  await using open = await setup({ env: { PUBLIC_READS: 'true' } });
  const id = await plan(open);
  const asked = { token: null };
  expect((await open.call('GET', '/plans', asked)).body).toHaveLength(1);
  expect((await open.call('GET', `/plans/${id}`, asked)).status).toBe(200);
  expect((await open.call('GET', `/plans/${id}/records`, asked)).status).toBe(401);
  expect((await open.call('GET', `/plans/${id}/records`)).status).toBe(200);
  const none = await open.call('GET', '/plans/999/records');
  expect([none.status, none.body.code]).toEqual([404, 'unknown_plan']);
});
