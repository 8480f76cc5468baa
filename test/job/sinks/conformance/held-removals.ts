/** Removals above the limits wait for an answer, in every sink that can hold them. Each test states live, held and the end. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { Findings } from '../../../../src/job/check/findings.ts';
import { lines, page, someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { expected, job, last, now, type SetUp, type SinkAdapter, type TestedSink } from './tested-sink.ts';

export const REMOVE = 'remove --approval 01234567-89ab-cdef-0123-456789abcdef';

export const idsOf = (count: number, from = 0): string[] =>
  someRows(count)
    .slice(from)
    .map(({ id }) => id);

export function lose(t: Pick<TestedSink, 'source'>, ids: readonly string[]): void {
  for (const id of ids) t.source.rows.delete(id);
}

/** The ids that the api was told last; null: it was told nothing. */
export const waiting = (t: Pick<TestedSink, 'receiver'>): string[] | null =>
  t.receiver.waiting?.map(({ id }) => id) ?? null;

/** What the source has, and these rows of {@link someRows}. */
const withRows = (t: TestedSink, ids: readonly string[]): Record<string, string> => ({
  ...namesOf(someRows(1000).filter(({ id }) => ids.includes(id))),
  ...expected(t),
});

/** The source has lost its first 10 of 30 rows, and the sync of job 2 holds them. */
async function holding(setup: SetUp): Promise<TestedSink> {
  const t = await setup(someRows(30));
  await t.run('sync --api_job_id 1', job(1));
  lose(t, idsOf(10));
  expect(await t.run('sync --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
  expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
  return t;
}

function testListings(name: string, setup: SetUp): void {
  describe(`what a listing above the limits lacks in ${name}`, () => {
    it('waits, while a sync adds and updates the rest: a listing of one half', async () => {
      await using t = await setup(someRows(40));
      const began = new Date().toISOString();
      await t.run('sync --api_job_id 1', job(1));
      lose(t, idsOf(20));
      t.source.put({ id: 'r00030', updated_at: now(), name: 'changed' });
      t.source.put({ id: 'zzz', updated_at: now(), name: 'new' });
      expect(await t.run('sync -n 7 -c 2 --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({
        added: 1,
        updated: 1,
        deleted: 0,
        kept: 20,
        held: 20,
        listing: 'complete',
      });
      expect(last(t)?.warnings?.[0]).toMatch(/^20 removals wait for an answer/);
      expect(await t.names()).toEqual(withRows(t, idsOf(20)));
      expect(waiting(t)).toEqual(idsOf(20));
      const [first] = t.receiver.waiting ?? [];
      expect(first).toMatchObject({
        updated_at: '2025-01-01T00:00:00.000Z',
        record: { name: 'row 1' },
      });
      expect(Object.keys(first?.record as object)).toEqual(['name']);
      const times = [began, first?.last_seen ?? '', first?.missing_since ?? ''];
      expect(times).toEqual(times.toSorted());
      expect(t.receiver.pages.at(-1)?.live).toBe(41);
      // A second attempt loads nothing and tells the same.
      t.receiver.waiting = null;
      expect((await t.run('sync --api_job_id 2', job(2, { attempt: 2 }))).code).toBe(EXIT.ok);
      expect([waiting(t), last(t)?.held]).toEqual([idsOf(20), 20]);
    });

    it('waits after a delete and after the delete of a diff, which remove nothing', async () => {
      await using t = await setup(someRows(30));
      await t.run('sync');
      lose(t, idsOf(10));
      for (const environment of [{}, { SYNCRATOR_PART_OF: 'diff' }]) {
        expect((await t.run('delete', environment)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ deleted: 0, kept: 10, held: 10 });
        expect(await t.names()).toEqual(namesOf(someRows(30)));
        expect(waiting(t)).toEqual(idsOf(10));
      }
      expect((await t.run('sync')).code).toBe(EXIT.ok);
      expect(waiting(t)).toEqual(idsOf(10));
      lose(t, ['r00011']);
      expect((await t.run('delete --force-delete')).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ deleted: 11 });
      expect(last(t)).not.toHaveProperty('held');
      expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
    });

    it('is removed at once below the limits: 8 % that the source hides', async () => {
      await using t = await setup(someRows(100));
      for (const action of ['sync', 'delete']) {
        t.source.put(...someRows(100));
        await t.run('sync');
        lose(t, idsOf(8));
        expect((await t.run(action)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ deleted: 8, kept: 0 });
        expect(last(t)).not.toHaveProperty('held');
        expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
      }
    });

    it('is not believed if it lacks a canary', async () => {
      await using t = await setup(someRows(100));
      const canary = { CANARY_IDS: 'r00008' };
      await t.run('sync', canary);
      lose(t, idsOf(8));
      for (const action of ['sync', 'delete'])
        expect((await t.run(action, canary)).code).toBe(EXIT.incompleteListing);
      expect([waiting(t), await t.names()]).toEqual([[], namesOf(someRows(100))]);
    });
  });
}

function testWaiting(name: string, setup: SetUp): void {
  describe(`records that wait in ${name}`, () => {
    it('stay over three nights while others are added, lost and listed again', async () => {
      await using t = await holding(setup);
      const since = t.receiver.waiting?.[0]?.missing_since;
      lose(t, idsOf(13, 10));
      t.source.put({ id: 'new-2', updated_at: now(), name: 'two' });
      expect((await t.run('sync')).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ added: 1, deleted: 0, held: 13 });
      expect([waiting(t), await t.names()]).toEqual([idsOf(13), withRows(t, idsOf(13))]);
      expect(t.receiver.waiting?.[0]?.missing_since).toBe(since);
      expect((t.receiver.waiting?.[10]?.missing_since ?? '') > (since ?? '')).toBe(true);

      t.source.put(...someRows(2, now()).map((row) => ({ ...row, name: 'back' })));
      lose(t, ['r00014']);
      t.source.put({ id: 'new-3', updated_at: now(), name: 'three' });
      expect((await t.run('sync')).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ added: 1, updated: 2, deleted: 0, held: 12 });
      expect([waiting(t), await t.names()]).toEqual([idsOf(14, 2), withRows(t, idsOf(14, 2))]);
      expect(await t.names()).toMatchObject({ r00001: 'back' });
    });

    it.each(['sync', 'delete'])(
      'stay if a %s is below the limits, which removes what never waited; --force-delete removes all',
      async (action) => {
        await using t = await holding(setup);
        t.source.put(...someRows(1));
        lose(t, ['r00011']);
        expect((await t.run(action, { SYNCRATOR_MAX_DELETE_PERCENT: '90' })).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ deleted: 1, kept: 9, held: 9 });
        expect([waiting(t), await t.names()]).toEqual([idsOf(10, 1), withRows(t, idsOf(10, 1))]);
        expect((await t.run(`${action} --force-delete`)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ deleted: 9 });
        expect(last(t)).not.toHaveProperty('held');
        expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
      },
    );

    it('stay, and no other waits, if the source is empty, its listing is cut or nothing is approved', async () => {
      await using t = await holding(setup);
      const before = await t.names();
      lose(t, idsOf(15, 10));
      t.source.put({ id: 'new', updated_at: now(), name: 'new' });
      const cut = (listing: Parameters<typeof page>[0]) =>
        page(listing, { body: lines(listing.rows, true).split('\n').slice(0, -3).join('\n').concat('\n') });
      const told = t.receiver.pages.length;
      for (const action of ['sync', 'delete']) {
        t.source.bend = cut;
        expect((await t.run(action)).code).not.toBe(EXIT.ok);
        t.source.bend = (listing) => page(listing, { total: listing.total + 1 });
        expect((await t.run(action)).code).toBe(EXIT.incompleteListing);
        t.source.bend = (listing) => page({ ...listing, rows: [], total: 0, more: false });
        expect((await t.run(`${action} --force-delete`)).code).toBe(EXIT.deleteGuard);
      }
      t.source.bend = null;
      expect(await t.names()).toEqual(before);
      expect(t.receiver.pages.length).toBe(told);
      expect((await t.run(REMOVE)).code, 'a job without an approval').toBe(EXIT.refused);
      t.receiver.approved = [];
      expect((await t.run(REMOVE)).code).toBe(EXIT.ok);
      expect([waiting(t), await t.names()]).toEqual([idsOf(10), before]);
    });

    it('are counted by a check, which says that they wait already', async () => {
      await using t = await holding(setup);
      const { output } = await t.spawn('check --json', { SYNCRATOR_REPORT_URL: '' }).ended;
      const { sink, forecast } = JSON.parse(output) as Findings;
      expect(sink).toMatchObject({ live: 30, kept: 0, held: 10 });
      expect(forecast?.text).toContain('would hold at least 10 removals');
      expect(await t.names()).toEqual(namesOf(someRows(30)));
    });

    it('are told with more than one page of them', { timeout: 120_000 }, async () => {
      await using t = await setup(someRows(3_000));
      await t.run('sync');
      lose(t, idsOf(2_301));
      expect((await t.run('sync')).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ deleted: 0, held: 2_301 });
      expect(waiting(t)).toEqual(idsOf(2_301));
      t.receiver.approved = idsOf(2_250);
      expect((await t.run(REMOVE)).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ deleted: 2_250, held: 51 });
      expect(waiting(t)).toEqual(idsOf(2_301, 2_250));
      expect(t.receiver.pages.at(-1)?.live).toBe(750);
    });
  });
}

function testAnswers(name: string, setup: SetUp, { rollbackVoidsHeld }: SinkAdapter): void {
  describe(`an approved removal in ${name}`, () => {
    it('removes exactly the approved records that wait', async () => {
      await using t = await holding(setup);
      // r00020 is live and does not wait, and the sink has no record of the last name.
      lose(t, ['r00020']);
      t.receiver.approved = ['r00002', 'r00003', 'r00004', 'r00020', 'nowhere'];
      expect(await t.run(`${REMOVE} --api_job_id 3`, job(3))).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 3, held: 7 });
      expect(last(t)?.warnings).toContainEqual('2 of the approved records waited no longer');
      const rest = ['r00001', ...idsOf(10, 4)];
      expect([waiting(t), await t.names()]).toEqual([rest, withRows(t, [...rest, 'r00020'])]);
      // A second attempt of the job removes nothing more.
      t.receiver.approved = idsOf(10);
      const again = await t.run(`${REMOVE} --api_job_id 3`, job(3, { attempt: 2 }));
      expect(again).toMatchObject({ code: EXIT.ok });
      expect([waiting(t), last(t)?.deleted, last(t)?.held]).toEqual([rest, 3, 7]);
      expect((await t.run('sync --api_job_id 5', job(5))).code).toBe(EXIT.ok);
      expect([waiting(t), await t.names()]).toEqual([[...rest, 'r00020'], withRows(t, [...rest, 'r00020'])]);
    });

    it('leaves what the source has again since the approval, and that waits no longer', async () => {
      await using t = await holding(setup);
      t.receiver.approved = idsOf(10);
      t.source.put(...someRows(3));
      expect(await t.run(`${REMOVE} --api_job_id 3`, job(3))).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ deleted: 7 });
      expect(last(t)).not.toHaveProperty('held');
      expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
    });

    it('changes nothing if the source is empty', async () => {
      await using t = await holding(setup);
      t.receiver.approved = idsOf(10);
      t.source.rows.clear();
      expect((await t.run(`${REMOVE} --api_job_id 3`, job(3))).code).toBe(EXIT.deleteGuard);
      expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
    });
  });

  it(`a rollback in ${name} with a set held restores what was live, and what waited then`, async () => {
    await using t = await setup(someRows(30));
    await t.run('sync --api_job_id 1', job(1));
    lose(t, idsOf(10));
    t.source.put({ id: 'new', updated_at: now(), name: 'new' });
    await t.run('sync --api_job_id 2', job(2));
    const held = await t.names();
    expect((await t.run('rollback --api_job_id 3', job(3))).code).toBe(EXIT.ok);
    const then = rollbackVoidsHeld ? [] : idsOf(10);
    expect([waiting(t), await t.names()]).toEqual([then, namesOf(someRows(30))]);
    expect((await t.run('rollback --before 3 --api_job_id 4', job(4))).code).toBe(EXIT.ok);
    expect([waiting(t), await t.names()]).toEqual([idsOf(10), held]);
    lose(t, idsOf(13, 10));
    expect((await t.run('sync --api_job_id 5', job(5))).code).toBe(EXIT.ok);
    expect((await t.run('rollback --before 5 --api_job_id 6', job(6))).code).toBe(EXIT.ok);
    expect([waiting(t)?.slice(0, 10), await t.names()]).toEqual([idsOf(10), held]);
    expect(waiting(t)).toEqual(rollbackVoidsHeld ? idsOf(10) : idsOf(13));
  });
}

export function testHeldRemovals(name: string, setup: SetUp, adapter: SinkAdapter): void {
  testListings(name, setup);
  testWaiting(name, setup);
  testAnswers(name, setup, adapter);
}
