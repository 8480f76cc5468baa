/** A step is applied once, and a rollback undoes it, in every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { goodThenBad, job, last, now, uid, type SetUp } from './tested-sink.ts';

export function testHistory(name: string, setup: SetUp): void {
  describe(`a second attempt in ${name}`, () => {
    it('of a sync loads nothing and keeps the way back', async () => {
      await using t = await setup(someRows(20));
      await goodThenBad(t);
      t.source.requests.length = 0;
      expect((await t.run('sync --api_job_id 2', job(2, { attempt: 2 }))).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 1, deleted: 2 });
      expect(t.source.requests).toEqual([]);
      expect((await t.run('rollback --api_job_id 4', job(4))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(namesOf(someRows(20)));
    });

    it.each(['delta', 'delete'])('of a completed %s changes nothing', async (action) => {
      await using t = await setup(someRows(20));
      await t.run('sync --api_job_id 1', job(1));
      t.source.put({ id: 'r00004', updated_at: now(), name: 'changed' });
      t.source.rows.delete('r00005');
      expect((await t.run(`${action} --api_job_id 2`, job(2))).code).toBe(EXIT.ok);
      const { added, updated, deleted } = last(t) ?? {};
      expect([added, updated, deleted]).toEqual(action === 'delta' ? [0, 1, 0] : [0, 0, 1]);
      const before = await t.names();
      t.source.rows.delete('r00006');
      t.source.put({ id: 'r00007', updated_at: now(), name: 'changed' });
      t.source.requests.length = 0;
      expect((await t.run(`${action} --api_job_id 2`, job(2, { attempt: 2 }))).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ added, updated, deleted });
      expect(t.source.requests).toEqual([]);
      expect(await t.names()).toEqual(before);
      // The job's next step is another one.
      const next = { ...job(2), SYNCRATOR_STEP: '1' };
      expect((await t.run(`${action} --api_job_id 2`, next)).code).toBe(EXIT.ok);
      expect(await t.names()).not.toEqual(before);
    });
  });

  describe(`a rollback in ${name}`, () => {
    it('undoes the last sync once, however often it is tried, and is undone by its own job', async () => {
      await using t = await setup(someRows(20));
      expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
      await t.run('sync --api_job_id 1', job(1));
      expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
      await goodThenBad(t);
      const bad = await t.names();
      for (const [id, again] of [
        [3, job(3)],
        [3, job(3, { attempt: 2 })],
        [4, job(4, { origin: 3 })],
      ] as const) {
        expect((await t.run(`rollback --api_job_id ${id}`, again)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ added: 2, updated: 1, deleted: 1 });
        expect(await t.names()).toEqual(namesOf(someRows(20)));
      }
      expect((await t.run(`rollback --before ${uid(3)} --api_job_id 5`, job(5))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(bad);
    });

    it('previews its effect without changing anything, and --expect enforces the preview', async () => {
      await using t = await setup(someRows(20));
      await goodThenBad(t);
      const before = await t.names();
      const preview = async () => {
        expect((await t.run('rollback --preview --api_job_id 9', job(9))).code).toBe(EXIT.ok);
        return last(t)?.rollback_preview;
      };
      const first = await preview();
      expect(first).toMatchObject({
        before: { job_id: 2, job_uid: uid(2), action: 'sync' },
        added: 2,
        updated: 1,
        removed: 1,
        changed_by_others: 0,
      });
      expect(first?.sample.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        [
          { id: 'r00001', change: 'added', fields: [] },
          { id: 'r00002', change: 'added', fields: [] },
          { id: 'r00009', change: 'updated', fields: ['updated_at', 'name', 'pages'] },
          { id: 'zzz', change: 'removed', fields: [] },
        ].map((one) => ({ ...one, fields: expect.arrayContaining(one.fields) as string[] })),
      );
      expect(await t.names()).toEqual(before);

      t.source.put({ id: 'r00010', updated_at: now(), name: 'changed meanwhile' });
      await t.run('delta --api_job_id 3', job(3));
      const live = await t.names();
      const back = (digest = ''): string => `rollback --before ${uid(2)} --expect ${digest} --api_job_id 4`;
      expect((await t.run(back(first?.digest), job(4))).code).toBe(EXIT.previewChanged);
      expect(await t.names()).toEqual(live);
      expect((await t.run(back((await preview())?.digest), job(4))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(namesOf(someRows(20)));
    });
  });
}
