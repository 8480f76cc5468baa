/** Jobs of the whole program from a table into the sink's Postgres, the same over every dialect. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../../src/domain/exit-code.ts';
import { type Setup, setup } from '../../../support/setup.ts';
import { makePlaces, type More, PLACES, putPlaces, someIds, type SqlDatabase } from './database.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const now = (): string => new Date().toISOString().slice(0, 19).replace('T', ' ');

/** @throws unless the run succeeds */
async function run(t: Setup, options: string, settings: More): Promise<string> {
  const { code, output } = await t.run(options, { SOURCE: 'sql', ...settings });
  expect([code, output]).toEqual([EXIT.ok, output]);
  return output;
}

export function describeActions(dialect: string, create: () => Promise<SqlDatabase>): void {
  describe(`a target with a table in ${dialect}`, () => {
    it('is synchronised by sync, delta, delete and diff', async () => {
      await using db = await create();
      await makePlaces(db, someIds(60));
      await using t = await setup();
      const settings = { SOURCE_URL: db.url, ...PLACES, SOURCE_DELETED_AT: 'deleted_at' };
      const output = await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ added: 60, listing: 'complete', records_total: 60 });
      expect(output).toContain('places -> ');
      expect((await t.sink()).watermark).not.toBeNull();
      await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });

      await db.exec(`UPDATE places SET name = 'second', updated_at = '${now()}' WHERE id = 'p00007'`);
      await putPlaces(db, ['p00100'], now());
      await run(t, 'delta', settings);
      expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 0 });

      await db.exec(`UPDATE places SET deleted_at = '${now()}' WHERE id = 'p00001'`);
      await db.exec(`DELETE FROM places WHERE id = 'p00002'`);
      await run(t, 'delete', settings);
      expect(last(t)).toMatchObject({ deleted: 2, listing: 'complete' });

      await db.exec(`DELETE FROM places WHERE id = 'p00003'`);
      await db.exec(`UPDATE places SET name = 'third', updated_at = '${now()}' WHERE id = 'p00004'`);
      await db.exec(`UPDATE places SET deleted_at = '${now()}', updated_at = '${now()}' WHERE id = 'p00006'`);
      await run(t, 'delta', settings);
      expect(last(t)).toMatchObject({ deleted: 1 });
      expect(await t.names()).toMatchObject({ p00003: 'first' });
      expect(await t.names()).not.toHaveProperty('p00006');
      await run(t, 'delete', { ...settings, SYNCRATOR_PART_OF: 'diff' });
      expect(last(t)).toMatchObject({ deleted: 1 });
      const names = { ...(await t.names()) };
      expect(Object.keys(names)).toHaveLength(57);
      expect(names).toMatchObject({ p00004: 'third', p00005: 'first', p00007: 'second', p00100: 'first' });
      await showsNoPassword(t, db, output);
    });

    it('without SOURCE_UPDATED_AT writes only rows that differ, with the time of the run', async () => {
      await using db = await create();
      await makePlaces(db, someIds(30));
      await using t = await setup();
      const settings = {
        SOURCE_URL: db.url,
        SOURCE_QUERY: 'SELECT id, name FROM places',
        SOURCE_ID: 'id',
      };
      await run(t, 'sync', settings);
      const before = await t.md5();
      for (const action of ['sync', 'delta']) {
        await run(t, action, settings);
        expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });
      }
      expect(await t.md5()).toBe(before);
      expect((await t.sink()).watermark).toBeNull();
      await db.exec(`UPDATE places SET name = 'second' WHERE id = 'p00007'`);
      await run(t, 'delta', settings);
      expect(last(t)).toMatchObject({ added: 0, updated: 1 });
      const newer = await t.query<{ id: string }>(
        `SELECT id FROM cities WHERE updated_at > (SELECT min(updated_at) FROM cities)`,
      );
      expect(newer).toEqual([{ id: 'p00007' }]);
      await db.exec(`DELETE FROM places WHERE id = 'p00001'`);
      await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ updated: 0, deleted: 1 });
    });

    it('is read on from the checkpoint by a later attempt', async () => {
      await using db = await create();
      await makePlaces(db, someIds(60));
      await putPlaces(db, ['p00050']);
      await db.exec(`UPDATE places SET name = 'again' WHERE id = 'p00050'`);
      await using t = await setup();
      const settings = { SOURCE: 'sql', SOURCE_URL: db.url, ...PLACES };
      const broken = await t.run('sync -n 10 --api_job_id 1', settings);
      expect(broken.code).toBe(EXIT.notConfigured);
      expect(broken.output).toContain('two rows have this id');
      const checkpoint = JSON.stringify(last(t)?.checkpoint);
      await db.exec(`DELETE FROM places WHERE id = 'p00050'`);
      await putPlaces(db, ['p00050', 'p00099']);
      const resumed = { ...settings, SYNCRATOR_CHECKPOINT: checkpoint };
      const output = await run(t, 'sync -n 10 --api_job_id 1', resumed);
      expect(output).toMatch(/resuming the load after [1-5]0 records/);
      expect(last(t)).toMatchObject({ added: 61, listing: 'complete' });
    });

    it('is read from the start by a later attempt with another SOURCE_ID', async () => {
      await using db = await create();
      await db.exec(`CREATE TABLE towns (country ${db.text} NOT NULL, code ${db.text} NOT NULL)`);
      const rows = someIds(60).map((code) => `('at', '${code}')`);
      await db.exec(`INSERT INTO towns VALUES ${rows.join(', ')}, ('de', 'p00050')`);
      await using t = await setup();
      const settings = { SOURCE: 'sql', SOURCE_URL: db.url, SOURCE_TABLE: 'towns' };
      const broken = await t.run('sync -n 10 --api_job_id 1', { ...settings, SOURCE_ID: 'code' });
      expect(broken.output).toContain('two rows have this id');
      const SYNCRATOR_CHECKPOINT = JSON.stringify(last(t)?.checkpoint);
      const corrected = { ...settings, SOURCE_ID: 'country,code', SYNCRATOR_CHECKPOINT };
      const output = await run(t, 'sync -n 10 --api_job_id 1', corrected);
      expect(output).toContain('settings of the source or FIELDS have changed since the earlier attempt');
      const ids = await t.query<{ id: string }>(`SELECT id FROM cities WHERE id LIKE '%|%'`);
      expect(ids).toHaveLength(61);
      expect(last(t)).toMatchObject({ added: 61, listing: 'complete' });
    });

    it('loses no record when its table is emptied, or when its settings are wrong', async () => {
      await using db = await create();
      await makePlaces(db, someIds(30));
      await using t = await setup();
      const settings = { SOURCE: 'sql', SOURCE_URL: db.url, ...PLACES };
      await run(t, 'sync', settings);
      const before = await t.md5();
      const wrong = await t.run('sync', { ...settings, SOURCE_TABLE: 'nowhere' });
      expect(wrong.code).toBe(EXIT.notConfigured);
      await db.exec('DELETE FROM places');
      for (const action of ['sync', 'delete'])
        expect((await t.run(action, settings)).code).toBe(EXIT.deleteGuard);
      expect(await t.md5()).toBe(before);
      await showsNoPassword(t, db, wrong.output);
    });
  });
}

async function showsNoPassword(t: Setup, { url }: SqlDatabase, output: string): Promise<void> {
  const { password } = new URL(url);
  if (password === '') return;
  expect(output + JSON.stringify(t.receiver.reports)).not.toContain(password);
  expect(last(t)?.data_source).toContain('<FILTERED>@');
  expect(await t.query(`SELECT 1 FROM syncrator.sinks WHERE sinks::text LIKE $1`, [`%${password}%`])).toEqual(
    [],
  );
}
