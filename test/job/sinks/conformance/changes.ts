/** What sync, delta and delete write, count and refuse, in every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { lines, page, someRows } from '../../support/fake-source.ts';
import { changed, expected, last, now, type SetUp, type TestedSink } from './tested-sink.ts';

export function testChanges(name: string, setup: SetUp): void {
  /** Runs a job that would remove too many: they wait. */
  const expectLimit = async (t: TestedSink, options: string, missing: number): Promise<void> => {
    expect((await t.run(options)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ deleted: 0, kept: missing, held: missing });
  };

  describe(`a sync into ${name}`, () => {
    it.each(['-n 10', '-n 7 -c 3', '-n 1000'])('writes and counts every record, with %s', async (options) => {
      await using t = await setup(someRows(95));
      t.source.pageSize = 40;
      expect(await t.run(`sync ${options} --api_job_id 4`)).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(expected(t));
      expect(last(t)).toMatchObject({
        phase: 'done',
        records_done: 95,
        records_total: 95,
        added: 95,
        updated: 0,
        deleted: 0,
        failed: 0,
      });
    });

    it('adds, updates and removes what differs, and counts it', async () => {
      await using t = await setup(someRows(60));
      await t.run('sync');
      t.source.rows.delete('r00003');
      t.source.put({ id: 'r00004', updated_at: '2026-01-01T00:00:00Z', name: 'other' });
      t.source.put({ id: 'zzz', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
      expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 1 });
      expect(await t.names()).toEqual(expected(t));
    });

    it('removes nothing for an empty source, above the limits, or after a truncated listing', async () => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      const before = await t.names();
      t.source.pageSize = 10;
      t.source.bend = (listing) => page(listing, { total: 21 });
      expect((await t.run('sync')).code).toBe(EXIT.incompleteListing);
      t.source.bend = null;
      for (const { id } of someRows(6)) t.source.rows.delete(id);
      await expectLimit(t, 'sync', 6);
      expect(await t.names()).toEqual(before);
      expect((await t.run('sync --force-delete')).code).toBe(EXIT.ok);
      const forced = await t.names();
      expect(forced).toEqual(expected(t));
      t.source.rows.clear();
      for (const options of ['sync', 'sync --force-delete']) {
        expect((await t.run(options)).code).toBe(EXIT.deleteGuard);
        expect(last(t)?.message).toContain('the source is empty');
      }
      expect(await t.names()).toEqual(forced);
    });
  });

  describe(`a delta and a delete in ${name}`, () => {
    it('fail and ask for a sync if no sync has completed', async () => {
      await using t = await setup(someRows(3));
      for (const action of ['delta', 'delete']) {
        expect((await t.run(action)).code).toBe(EXIT.failed);
        expect(last(t)?.message).toContain('run sync first');
      }
      expect(await t.names()).toEqual({});
    });

    it.each(['-n 2', '-n 3 -c 3', '-n 1000'])(
      'write the changed records and remove the missing ones, with %s',
      async (options) => {
        await using t = await setup(someRows(60));
        t.source.pageSize = 25;
        await t.run('sync');
        t.source.put(...changed(7));
        t.source.put({ id: 'a,new', updated_at: now(), name: 'new' });
        for (const id of ['r00010', 'r00030', 'r00060']) t.source.rows.delete(id);
        expect(await t.run(`delta ${options}`)).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 7, records_done: 8 });
        // Within the margin of the watermark everything is read again, and nothing has changed.
        expect((await t.run(`delta ${options}`)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ added: 0, updated: 0, records_done: 8 });
        t.source.put({ id: 'later', updated_at: now(), name: 'not for delete to add' });
        expect(await t.run(`delete ${options}`)).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ phase: 'done', deleted: 3 });
        t.source.rows.delete('later');
        expect(await t.names()).toEqual(expected(t));
      },
    );

    it('remove nothing for an empty source, after a truncated listing, or above the limits', async () => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      const before = await t.names();
      t.source.bend = (listing) =>
        page(listing, { body: lines(listing.rows, true).split('\n').slice(0, -3).join('\n').concat('\n') });
      expect((await t.run('delete --force-delete')).code).toBe(EXIT.incompleteListing);
      t.source.bend = null;
      for (const { id } of someRows(6)) t.source.rows.delete(id);
      await expectLimit(t, 'delete', 6);
      t.source.rows.clear();
      expect((await t.run('delete --force-delete')).code).toBe(EXIT.deleteGuard);
      expect(await t.names()).toEqual(before);
    });
  });
}
