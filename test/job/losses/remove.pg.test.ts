/** The action remove: removes held records that an approval names, and nothing else. */

import { expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { page, someRows } from '../support/fake-source.ts';
import { namesOf, setup, type Setup } from '../support/setup.ts';

const REMOVE = 'remove --approval 01234567-89ab-cdef-0123-456789abcdef';
const last = (t: Setup) => t.receiver.reports.at(-1);
const idsOf = (count: number, from = 0) =>
  someRows(count)
    .slice(from)
    .map(({ id }) => id);

/** The source has lost the first `lost` of all rows, and a sync (job 2) holds them. */
async function holding(lost: number, all = 3 * lost): Promise<Setup> {
  const t = await setup(someRows(all));
  await t.run('sync --api_job_id 1');
  for (const id of idsOf(lost)) t.source.rows.delete(id);
  expect(await t.run('sync --api_job_id 2')).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ held: lost });
  return t;
}

const without = (all: number, gone: readonly string[]) =>
  namesOf(someRows(all).filter(({ id }) => !gone.includes(id)));

it('removes the approved records that are held, tells the rest, and can be rolled back', async () => {
  await using t = await holding(10);
  const { watermark } = await t.sink();
  // r00020 is live and was never held, and the sink has no record of another name.
  t.receiver.approved = ['nowhere', 'r00002', 'r00003', 'r00004', 'r00020'];
  t.source.rows.delete('r00020');
  expect(await t.run(`${REMOVE} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(without(30, ['r00002', 'r00003', 'r00004']));
  expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 3, held: 7 });
  expect(last(t)?.warnings).toContainEqual('2 of the approved records waited no longer');
  expect(t.receiver.waiting?.map(({ id }) => id)).toEqual(['r00001', ...idsOf(10, 4)]);
  expect((await t.sink()).watermark).toEqual(watermark);

  expect(await t.run('rollback --before 3 --api_job_id 4')).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(namesOf(someRows(30)));
  expect(
    t.receiver.waiting?.map(({ id }) => id),
    'what was brought back does not wait',
  ).toEqual(['r00001', ...idsOf(10, 4)]);
  await t.run('delete --api_job_id 5', { SYNCRATOR_MAX_DELETE_PERCENT: '50' });
  expect(await t.names(), 'and is not removed again by itself').toMatchObject(namesOf(someRows(4).slice(1)));
});

it('leaves what the source has again, which then waits no longer', async () => {
  await using t = await holding(10);
  t.receiver.approved = idsOf(10);
  t.source.put(...someRows(3));
  expect(await t.run(`${REMOVE} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(without(30, idsOf(10, 3)));
  expect(last(t)).toMatchObject({ deleted: 7, kept: 0 });
  expect(last(t)?.warnings).toEqual(['3 of the approved records stay, because the source has them again']);
  expect(t.receiver.waiting).toEqual([]);
});

it('leaves approved records that rows of another table refer to', async () => {
  await using t = await holding(10);
  await t.query(
    `CREATE TABLE visits (city text REFERENCES cities (id)); INSERT INTO visits VALUES ('r00001')`,
  );
  t.receiver.approved = idsOf(2);
  expect(await t.run(`${REMOVE} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(without(30, ['r00002']));
  expect(last(t)).toMatchObject({ deleted: 1, held: 8, kept: 9 });
});

it('reads an approval of many pages', async () => {
  await using t = await holding(2_300, 4_000);
  t.receiver.approved = idsOf(2_250);
  expect(await t.run(`${REMOVE} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ deleted: 2_250, held: 50 });
});

it('an empty approval changes nothing and completes', async () => {
  await using t = await holding(10);
  t.receiver.approved = [];
  const before = await t.md5();
  expect(await t.run(`${REMOVE} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(await t.md5()).toBe(before);
  expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
});

it('a second attempt removes nothing more', async () => {
  await using t = await holding(10);
  const job = { SYNCRATOR_JOB_UID: '00000000-0000-4000-8000-000000000003' };
  t.receiver.approved = idsOf(2);
  expect(await t.run(`${REMOVE} --api_job_id 3`, job)).toMatchObject({ code: EXIT.ok });
  t.receiver.approved = idsOf(10);
  t.receiver.waiting = null;
  const again = await t.run(`${REMOVE} --api_job_id 3`, { ...job, SYNCRATOR_ATTEMPT: '2' });
  expect(again).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(without(30, idsOf(2)));
  expect(last(t)).toMatchObject({ deleted: 2, held: 8 });
  expect(t.receiver.waiting).toHaveLength(8);
});

it.each<[string, (t: Setup) => void, number, string]>([
  ['an empty source', (t) => t.source.rows.clear(), EXIT.deleteGuard, 'the source is empty'],
  ['a job without an approval', (t) => (t.receiver.approved = null), EXIT.refused, 'syncrator losses'],
  [
    'a source that fails',
    (t) => (t.source.bend = (listing) => page(listing, { status: 500 })),
    EXIT.failed,
    '500',
  ],
])('changes nothing for %s', async (_, spoil, code, words) => {
  await using t = await holding(10);
  t.receiver.approved = idsOf(10);
  const before = await t.md5();
  spoil(t);
  const ended = await t.run(`${REMOVE} --api_job_id 3`);
  expect([ended.code, ended.output]).toEqual([code, expect.stringContaining(words)]);
  expect(await t.md5()).toBe(before);
});

it('changes nothing without an api, and says how to start a removal', async () => {
  await using t = await holding(10);
  const before = await t.md5();
  const byHand = await t.run(REMOVE, { SYNCRATOR_REPORT_URL: '' });
  expect([byHand.code, byHand.output]).toEqual([
    EXIT.notConfigured,
    expect.stringContaining('SYNCRATOR_REPORT_URL is missing'),
  ]);
  const away = await t.run(REMOVE, { SYNCRATOR_REPORT_URL: 'http://127.0.0.1:9/report' });
  expect([away.code, away.output]).toEqual([
    EXIT.failed,
    expect.stringContaining('nothing was changed: the approved ids cannot be read'),
  ]);
  expect(await t.md5()).toBe(before);
});

it('does not believe a source that lacks a canary', async () => {
  await using t = await setup(someRows(30));
  const canary = { CANARY_IDS: 'r00030' };
  await t.run('sync --api_job_id 1', canary);
  for (const id of idsOf(10)) t.source.rows.delete(id);
  await t.run('sync --api_job_id 2', canary);
  t.receiver.approved = idsOf(10);
  t.source.rows.delete('r00030');
  expect(await t.run(`${REMOVE} --api_job_id 3`, canary)).toMatchObject({ code: EXIT.incompleteListing });
  expect(await t.names()).toEqual(namesOf(someRows(30)));
});
