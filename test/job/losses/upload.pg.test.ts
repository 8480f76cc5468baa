/** What the api is told about the records that wait for an answer. */

import { expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { type FakeRow, someRows } from '../support/fake-source.ts';
import { setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const problem = (status: number, code: string) => Response.json({ code }, { status });

/** A sync, then one that holds these rows. */
async function holding(rows: readonly FakeRow[]): Promise<Setup> {
  const t = await setup([...rows, ...someRows(10).map((row) => ({ ...row, id: `stays-${row.id}` }))]);
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  for (const { id } of rows) t.source.rows.delete(id);
  return t;
}

it('the whole set is told in byte order, each record as it is live', async () => {
  const ids = ['a', 'B', 'z', 'é', '\u{1f600}', '\uff5e', 'with "quotes"\\ and\ttab'];
  const rows = ids.map((id) => ({
    id,
    updated_at: '2025-06-01T12:00:00.123Z',
    name: `of ${id}`,
    nested: [1, null],
  }));
  await using t = await holding(rows);
  const began = new Date();
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  const byBytes = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  expect(t.receiver.waiting?.map(({ id }) => id)).toEqual(byBytes);
  for (const { id, record, updated_at: at, missing_since: since, last_seen: seen } of t.receiver.waiting ??
    []) {
    expect(record).toEqual({ name: `of ${id}`, nested: [1, null] });
    expect(at).toBe('2025-06-01T12:00:00.123Z');
    expect(Date.parse(since)).toBeGreaterThan(began.getTime());
    expect(Date.parse(seen ?? ''), 'the first sync had it').toBeLessThan(began.getTime());
  }
  expect(t.receiver.pages.at(-1)).toMatchObject({ page: 0, last: true, live: 17 });
  expect(new Set(t.receiver.authorizations)).toEqual(new Set(['Bearer 1.1.secret-mac']));

  const told = t.receiver.waiting;
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect(t.receiver.waiting, 'the next night tells the same').toEqual(told);
  await t.run('delta');
  expect(
    t.receiver.pages.filter(({ page }) => page === 0),
    'a delta tells nothing',
  ).toHaveLength(3);
});

it('numbers keep their digits, and a long record is told without its content', async () => {
  await using t = await holding([
    ...someRows(6),
    { id: 'long', updated_at: '2025-01-01T00:00:00Z', name: 'x'.repeat(70_000) },
  ]);
  await t.query(`UPDATE cities SET record = '{"number": 12345678901234567890.10}' WHERE id = 'r00001'`);
  let body = '';
  t.receiver.answerHeld = (page) => {
    body = page.raw;
    return undefined;
  };
  await t.run('delete');
  expect(body).toContain('"id":"r00001"');
  expect(body).toContain('12345678901234567890.10');
  const long = t.receiver.waiting?.find(({ id }) => id === 'long');
  expect(long).toMatchObject({ record: null });
});

it('a large set is told in pages of at most 500 records and one MiB', async () => {
  const many = someRows(1_100);
  const wide = someRows(60).map((row) => ({ ...row, id: `wide-${row.id}`, name: 'y'.repeat(50_000) }));
  await using t = await holding([...many, ...wide]);
  await t.run('sync');
  expect(t.receiver.waiting).toHaveLength(1_160);
  expect(t.receiver.pages.map(({ last: isLast }) => isLast).slice(1, -1)).not.toContain(true);
  for (const { records, bytes } of t.receiver.pages) {
    expect(records.length).toBeLessThanOrEqual(500);
    expect(bytes).toBeLessThan(1024 * 1024);
  }
});

it('a set of many thousands is told whole and in byte order, in a table of any collation', async () => {
  const many = someRows(10_500).map((row, nth) => ({ ...row, id: `${nth % 2 === 0 ? 'a' : 'B'}-${row.id}` }));
  await using t = await setup([...many, { id: 'stays', updated_at: '2025-01-01T00:00:00Z', name: 'x' }]);
  await t.query(
    `CREATE COLLATION of_people (provider = icu, locale = 'en');
     CREATE TABLE cities (id text COLLATE of_people PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)`,
  );
  await t.run('sync -n 5000');
  await t.query(`ALTER TABLE syncrator.kept ALTER id TYPE text COLLATE of_people`);
  for (const { id } of many) t.source.rows.delete(id);
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect(t.receiver.waiting?.map(({ id }) => id)).toEqual(many.map(({ id }) => id).toSorted());
});

it('an empty set is told too, and an older api that has no such route is not worth a warning then', async () => {
  await using t = await setup(someRows(30));
  await t.run('sync');
  expect(t.receiver.waiting).toEqual([]);
  t.receiver.answerHeld = () => problem(404, 'not_found');
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect(last(t)?.warnings ?? []).not.toContainEqual(expect.stringContaining('not reported'));
});

it.each([
  ['answers that it has no such route', () => problem(404, 'not_found'), 'knows no held records (404)'],
  ['refuses the content', () => problem(400, 'bad_input'), 'answered 400'],
  ['is down', () => problem(503, 'unavailable'), 'answered 503'],
  ['always expects another page', () => problem(409, 'page_out_of_order'), 'expected another page 3 times'],
])('the job completes with a warning if the api %s', async (_, answer, words) => {
  await using t = await holding(someRows(10));
  t.receiver.answerHeld = answer;
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ phase: 'done', held: 10 });
  expect(last(t)?.warnings).toEqual(
    expect.arrayContaining([
      expect.stringContaining('10 removals wait for an answer'),
      expect.stringMatching(
        new RegExp(`^the held records were not reported: .*${words.replaceAll(/[()]/g, '\\$&')}`),
      ),
    ]),
  );
  t.receiver.answerHeld = null;
  await t.run('sync');
  expect(t.receiver.waiting, 'the next run tells them').toHaveLength(10);
});

it('an upload that the api expects from the start begins again', async () => {
  await using t = await holding(someRows(600));
  let refusals = 0;
  t.receiver.answerHeld = ({ page }) => {
    if (page !== 1 || refusals === 2) return undefined;
    refusals += 1;
    return problem(409, 'page_out_of_order');
  };
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect(t.receiver.pages.map(({ page }) => page)).toEqual([0, 0, 1, 0, 1, 0, 1]);
  expect(t.receiver.waiting).toHaveLength(600);
});

it.each([401, 403, 409, 410])('an attempt that the api refuses with %i ends as refused', async (status) => {
  await using t = await holding(someRows(10));
  t.receiver.answerHeld = () => problem(status, 'superseded');
  expect(await t.run('sync')).toMatchObject({ code: EXIT.refused });
});

it('an attempt that finds its step applied tells the set that the earlier one could not', async () => {
  await using t = await holding(someRows(10));
  const job = { SYNCRATOR_JOB_UID: '00000000-0000-4000-8000-000000000007' };
  t.receiver.answerHeld = () => problem(410, 'superseded');
  expect(await t.run('sync --api_job_id 7', job)).toMatchObject({ code: EXIT.refused });
  t.receiver.answerHeld = null;
  expect(await t.run('sync --api_job_id 7', { ...job, SYNCRATOR_ATTEMPT: '2' })).toMatchObject({
    code: EXIT.ok,
  });
  expect(last(t)).toMatchObject({ held: 10 });
  expect(t.receiver.waiting).toHaveLength(10);
});

it('a run by hand, without an api, holds as well', async () => {
  await using t = await holding(someRows(10));
  const ended = await t.run('sync', { SYNCRATOR_REPORT_URL: '' });
  expect(ended.code).toBe(EXIT.ok);
  expect(ended.output).toContain('10 removals wait for an answer');
});
