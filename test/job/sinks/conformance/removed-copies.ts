/** Removed records come back by id and by job in the sinks that keep one generation: from copies. Each is tested whole. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { BendingProxy, Passing } from '../../../support/bending-proxy.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { idsOf, lose, REMOVE, waiting } from './held-removals.ts';
import { killedAfter } from './kills-after-changes.ts';
import { expected, goodThenBad, job, last, now, type TestedSink, uid } from './tested-sink.ts';

export type CopyingSink = TestedSink & {
  readonly proxy: BendingProxy;
  /** All copies of removed records, as the sink's server shows them. */
  copies(): Promise<unknown[]>;
};
type SetUp = (rows?: ReturnType<typeof someRows>) => Promise<CopyingSink>;

export const ALL = { SYNCRATOR_MAX_DELETE_PERCENT: '100', SYNCRATOR_MAX_DELETE_RECORDS: '100000' };
const byId = (ids: readonly string[]): string => ids.map((id) => ` --id ${encodeURIComponent(id)}`).join('');
const row = (id: string) => ({ id, updated_at: '2025-01-01T00:00:00Z', name: `row ${id}` });
const ODD = ['ä b', '--only', '__proto__', 'a,b "c"', '𝔘\u{fffd}', `long ${'x'.repeat(400)}`];

/** Job 2, of this action, has removed the first two of 20 rows. */
export async function removing(setup: SetUp, action: 'sync' | 'delete' = 'sync'): Promise<CopyingSink> {
  const t = await setup(someRows(20));
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  lose(t, idsOf(2));
  expect(await t.run(`${action} --api_job_id 2`, job(2))).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(expected(t));
  return t;
}

async function preview(t: CopyingSink, options: string) {
  expect(await t.run(`rollback --preview ${options}`, job(90))).toMatchObject({ code: EXIT.ok });
  return last(t)?.rollback_preview;
}

function testRestored(name: string, setup: SetUp): void {
  describe(`a removed record in ${name}`, () => {
    it.each(['sync', 'delete'] as const)(
      'comes back by its id after a %s, waits for an answer, and later jobs leave it live',
      async (action) => {
        await using t = await removing(setup, action);
        const back = await t.run(`rollback --before 2 --id r00002 --api_job_id 3`, job(3));
        expect(back).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ added: 1, updated: 0, deleted: 0, held: 1 });
        expect([waiting(t), await t.names()]).toEqual([['r00002'], namesOf(someRows(20).slice(1))]);
        t.source.put({ id: 'r00009', updated_at: now(), name: 'later' });
        for (const [nth, next] of ['delta', 'sync', 'delete'].entries()) {
          const run = await t.run(`${next} --api_job_id ${4 + nth}`, { ...job(4 + nth), ...ALL });
          expect(run).toMatchObject({ code: EXIT.ok });
          expect(await t.names()).toEqual({ ...expected(t), r00002: 'row 2' });
        }
        expect([waiting(t), last(t)?.held]).toEqual([['r00002'], 1]);
        expect((await t.run('sync --force-delete --api_job_id 8', job(8))).code).toBe(EXIT.ok);
        expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
        // Before that removal it can go back, too; --before of the earlier one still means its older copy.
        for (const before of ['8', uid(2)]) {
          const again = await t.run(`rollback --before ${before} --id r00002`);
          expect(again).toMatchObject({ code: EXIT.ok });
          expect(await t.names()).toEqual({ ...expected(t), r00002: 'row 2' });
          t.source.put({ id: 'r00010', updated_at: now(), name: before });
          await t.run('sync --force-delete');
        }
      },
    );

    it('comes back without --before: its newest copy; with it: the oldest from that job on', async () => {
      await using t = await removing(setup);
      t.source.put({ id: 'r00001', updated_at: now(), name: 'second life' });
      await t.run('sync --api_job_id 3', job(3));
      lose(t, ['r00001']);
      await t.run('delete --api_job_id 4', job(4));
      for (const [options, value] of [
        ['', 'second life'],
        ['--before 4', 'second life'],
        ['--before 2', 'row 1'],
      ]) {
        expect(await t.run(`rollback ${options} --id r00001`.replace('  ', ' '))).toMatchObject({
          code: EXIT.ok,
        });
        expect(await t.names()).toEqual({ ...expected(t), r00001: value });
        await t.run('delete --force-delete');
      }
    });

    it('comes back with all others of an approved removal: --only', async () => {
      await using t = await setup(someRows(30));
      await t.run('sync --api_job_id 1', job(1));
      lose(t, idsOf(10));
      await t.run('sync --api_job_id 2', job(2));
      t.receiver.approved = idsOf(8);
      expect(await t.run(`${REMOVE} --api_job_id 3`, job(3))).toMatchObject({ code: EXIT.ok });
      expect(await preview(t, '--before 3 --only')).toMatchObject({ added: 8, some_records: true });
      expect(await t.run('rollback --before 3 --only --api_job_id 4', job(4))).toMatchObject({
        code: EXIT.ok,
      });
      expect(last(t)).toMatchObject({ added: 8, held: 10 });
      expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
    });

    it('comes back whatever its id is', async () => {
      await using t = await setup([...someRows(9), ...ODD.map(row)]);
      await t.run('sync --api_job_id 1', job(1));
      lose(t, ODD);
      expect(await t.run('sync --api_job_id 2', { ...job(2), ...ALL })).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(namesOf(someRows(9)));
      const back = await t.run(`rollback --before 2${byId(ODD)} --api_job_id 3`, job(3));
      expect(back).toMatchObject({ code: EXIT.ok });
      expect(Object.entries(await t.names())).toHaveLength(15);
      expect(waiting(t)?.toSorted()).toEqual(ODD.toSorted());
    });

    it('comes back also if a rollback of everything removed it', async () => {
      await using t = await setup(someRows(20));
      await goodThenBad(t);
      expect((await t.run('rollback --api_job_id 3', job(3))).code).toBe(EXIT.ok);
      expect(await t.names()).not.toHaveProperty('zzz');
      expect(await t.run('rollback --before 3 --id zzz --api_job_id 4', job(4))).toMatchObject({
        code: EXIT.ok,
      });
      expect(await t.names()).toEqual({ ...namesOf(someRows(20)), zzz: 'bad' });
    });

    it('is one of many that come back page by page', { timeout: 120_000 }, async () => {
      await using t = await setup(someRows(3_000));
      await t.run('sync --api_job_id 1', job(1));
      lose(t, idsOf(2_301));
      expect(await t.run('sync --api_job_id 2', { ...job(2), ...ALL })).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ deleted: 2_301 });
      expect((await preview(t, '--before 2 --only'))?.sample).toHaveLength(20);
      expect(await t.run('rollback --before 2 --only --api_job_id 3', job(3))).toMatchObject({
        code: EXIT.ok,
      });
      expect(last(t)).toMatchObject({ added: 2_301, held: 2_301 });
      expect(waiting(t)).toEqual(idsOf(2_301));
      expect(t.receiver.pages.at(-1)?.live).toBe(3_000);
    });
  });
}

function testRefused(name: string, setup: SetUp): void {
  describe(`a rollback of some records in ${name}`, () => {
    it('previews exactly what it does, and --expect refuses another effect', async () => {
      await using t = await removing(setup);
      const before = await t.names();
      const first = await preview(t, '--before 2 --id r00001 --id r00002');
      expect(first).toMatchObject({
        before: { job_id: 2, job_uid: uid(2), action: 'sync' },
        added: 2,
        updated: 0,
        removed: 0,
        some_records: true,
        sample: idsOf(2).map((id) => ({ id, change: 'added', fields: [] })),
      });
      expect([await t.names(), waiting(t)]).toEqual([before, []]);
      const other = await t.run(`rollback --before 2 --id r00001 --expect ${first?.digest}`);
      expect(other.code).toBe(EXIT.previewChanged);
      expect([await t.names(), waiting(t)]).toEqual([before, []]);
      const back = `rollback --before 2${byId(['r00002', 'r00001'])} --expect ${first?.digest} --api_job_id 3`;
      for (const attempt of [1, 2]) {
        expect(await t.run(back, job(3, { attempt }))).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ added: 2, held: 2 });
      }
      // A job that resumes it does nothing more.
      expect(await t.run(back.replace('id 3', 'id 4'), job(4, { origin: 3 }))).toMatchObject({
        code: EXIT.ok,
      });
      expect([await t.names(), waiting(t)]).toEqual([namesOf(someRows(20)), idsOf(2)]);
    });

    it.each([
      ['--before 2 --id r00001 --id r00005', /^.*no copy of "r00005" is kept .* roll|rollback without --id/],
      ['--before 2 --id nowhere --id r00001', /no copy of "nowhere" is kept/],
      [
        '--before 1 --id r00001',
        /the job 1 removed are kept.*"r00001" was removed by the sync of job 2 .*: --before 0{8}/,
      ],
      ['--before 1 --only', /no copies of records that the job 1 removed are kept/],
    ])('changes nothing and names the way out: %s', async (options, words) => {
      await using t = await removing(setup);
      t.source.put({ id: 'r00005', updated_at: now(), name: 'updated' });
      await t.run('delta --api_job_id 3', job(3));
      const before = await t.names();
      for (const more of ['--preview ', ''])
        expect((await t.run(`rollback ${more}${options}`)).code).toBe(EXIT.nothingToRollBack);
      expect(last(t)?.message).toMatch(words);
      expect([await t.names(), waiting(t)]).toEqual([before, []]);
    });

    it('refuses a record that is live again, and --only without --before', async () => {
      await using t = await removing(setup);
      t.source.put({ id: 'r00001', updated_at: now(), name: 'again' });
      await t.run('delta --api_job_id 3', job(3));
      expect((await t.run('rollback --before 2 --id r00001 --id r00002')).code).toBe(EXIT.nothingToRollBack);
      expect(last(t)?.message).toMatch(/^nothing was changed: "r00001" is live\. .*without --id and --only/);
      expect((await t.run('rollback --only')).code).toBe(EXIT.usage);
      expect(await t.names()).toEqual(expected(t));
      // Of a job, those that are not live come back.
      expect(await t.run('rollback --before 2 --only')).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual({ ...expected(t), r00002: 'row 2' });
    });
  });
}

function testBounds(name: string, { setup, isChange }: CopiesUnderTest): void {
  describe(`copies of removed records in ${name}`, () => {
    it('are deleted by the next job once they are older than KEEP_CHANGES', async () => {
      await using t = await removing(setup);
      expect(await t.run('delta --api_job_id 3', job(3))).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toHaveLength(2);
      const short = { ...job(4), KEEP_CHANGES: '0s' };
      expect(await t.run('delta --api_job_id 4', short)).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toEqual([]);
      expect((await t.run('rollback --before 2 --id r00001')).code).toBe(EXIT.nothingToRollBack);
    });

    it('are at most twice as many as live records, but those of the newest job stay', async () => {
      await using t = await setup(someRows(30));
      await t.run('sync --api_job_id 1', job(1));
      lose(t, idsOf(25));
      expect(await t.run('delete --api_job_id 2', { ...job(2), ...ALL })).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toHaveLength(25);
      lose(t, ['r00026']);
      expect(await t.run('sync --api_job_id 3', { ...job(3), ...ALL })).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toHaveLength(1);
    });

    it('of the newest job stay, also those of its earlier attempts', { timeout: 120_000 }, async () => {
      await using t = await setup(someRows(45));
      await t.run('sync --api_job_id 1', job(1));
      // Each attempt finds one more that is missing.
      let nth = 0;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        lose(t, idsOf(29 + nth));
        code = await killedAfter(t, isChange, 'delete --force-delete --api_job_id 2', nth);
      }
      const live = Object.keys(await t.names()).length;
      expect([live < 16, live + (await t.copies()).length]).toEqual([true, 45]);
      expect(await t.run('rollback --before 2 --only')).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(namesOf(someRows(45)));
    });

    it('are gone after a take-over', async () => {
      await using t = await removing(setup);
      expect(await t.run('take-over --api_job_id 3', job(3))).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toEqual([]);
      expect((await t.run('rollback --before 2 --id r00001')).code).toBe(EXIT.nothingToRollBack);
      expect(await t.names()).toEqual(expected(t));
    });

    it('are erased by forget-record, and so is the value in the kept generation', async () => {
      await using t = await setup([...someRows(20), { ...row('person'), name: 'secret' }]);
      await t.run('sync --api_job_id 1', job(1));
      lose(t, ['person', 'r00001']);
      t.source.put({ id: 'r00002', updated_at: now(), name: 'updated' });
      await t.run('sync --api_job_id 2', job(2));
      expect(JSON.stringify(await t.copies())).toContain('secret');
      const forget = 'forget-record --id person --id r00002 --api_job_id 3';
      for (const attempt of [1, 2])
        expect(await t.run(forget, job(3, { attempt }))).toMatchObject({ code: EXIT.ok });
      expect(await t.copies()).toHaveLength(1);
      expect(JSON.stringify(await t.copies())).not.toContain('secret');
      expect((await t.run('rollback --before 2 --id person')).code).toBe(EXIT.nothingToRollBack);
      expect(await t.names()).toEqual(expected(t));
      expect(await t.run('rollback --before 2 --api_job_id 5', job(5))).toMatchObject({ code: EXIT.ok });
      // r00001 goes back; of the forgotten records one stays gone, and one as it is.
      expect(await t.names()).toEqual({ ...namesOf(someRows(20)), r00002: 'updated' });
    });
  });
}

export type CopiesUnderTest = {
  readonly setup: SetUp;
  /** A request that changes something on the server. */
  readonly isChange: (request: Passing) => boolean;
};

export function testRemovedCopies(name: string, of: CopiesUnderTest): void {
  testRestored(name, of.setup);
  testRefused(name, of.setup);
  testBounds(name, of);
}
