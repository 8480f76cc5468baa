/** A delta removes the records that the source itself says it has deleted, in every sink: rows with SOURCE_DELETED_AT. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { makePlaces, PLACES, putPlaces, someIds } from '../../sources/sql/support/database.ts';
import { sqliteDatabase } from '../../sources/sql/support/sqlite.ts';
import { REMOVE, waiting } from './held-removals.ts';
import { job, last, type SetUp, type TestedSink } from './tested-sink.ts';

export type Place = AsyncDisposable & {
  readonly t: TestedSink;
  /** What lets the program read the table. */
  readonly settings: Record<string, string>;
  /** Runs a job, which must succeed. */
  run(options: string, environment?: Record<string, string>): Promise<void>;
  attempt(options: string, environment?: Record<string, string>): ReturnType<TestedSink['run']>;
  exec(sql: string): Promise<void>;
  /** Marks rows as deleted. @param at also the time of their last change; missing: that stays */
  mark(ids: readonly string[], of?: { at?: string; deletedAt?: string }): Promise<void>;
  put(id: string, at?: string, name?: string): Promise<void>;
};

const text = (at: Date): string => at.toISOString().slice(0, 23).replace('T', ' ');
const now = (): string => text(new Date());
const minutesAgo = (minutes: number): string => text(new Date(Date.now() - minutes * 60_000));

/** A sink with the rows p00001 … of a table, by a sync of job 1. */
export async function synced(setup: SetUp, count: number): Promise<Place> {
  const db = await sqliteDatabase();
  await makePlaces(db, []);
  await putPlaces(db, someIds(count), minutesAgo(90));
  const t = await setup([]);
  const settings = { SOURCE: 'sql', SOURCE_URL: db.url, ...PLACES, SOURCE_DELETED_AT: 'deleted_at' };
  const attempt: Place['attempt'] = (options, environment) => t.run(options, { ...settings, ...environment });
  const place: Place = {
    t,
    settings,
    attempt,
    exec: db.exec,
    async run(options, environment) {
      const { code, output } = await attempt(options, environment);
      expect([code, output]).toEqual([EXIT.ok, output]);
    },
    async mark(ids, { at, deletedAt = at ?? now() } = {}) {
      const list = ids.map((id) => `'${id}'`).join(', ');
      const more = at === undefined ? '' : `, updated_at = '${at}'`;
      await db.exec(`UPDATE places SET deleted_at = '${deletedAt}'${more} WHERE id IN (${list})`);
    },
    put: (id, at = now(), name = 'second') =>
      db.exec(`INSERT INTO places (id, name, updated_at) VALUES ('${id}', '${name}', '${at}')`),
    async [Symbol.asyncDispose]() {
      await t[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
  await place.run('sync --api_job_id 1', job(1));
  return place;
}

export const all = (count: number): Record<string, string> =>
  Object.fromEntries(someIds(count).map((id) => [id, 'first']));

export function without(names: Record<string, string>, ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter(([id]) => !ids.includes(id)));
}

export function testToldDeletions(name: string, setup: SetUp): void {
  // Each test runs several jobs, and a busy machine needs a minute for them.
  describe(`a delta into ${name} from a source that tells deletions`, { timeout: 240_000 }, () => {
    it.each(['-n 2', '-n 3 -c 3', '-n 1000'])('removes exactly these records, with %s', async (options) => {
      await using p = await synced(setup, 60);
      await p.mark(['p00002', 'p00060'], { at: now() });
      await p.mark(['p00030']);
      await p.exec(`DELETE FROM places WHERE id = 'p00003'`);
      await p.exec(`UPDATE places SET name = 'second', updated_at = '${now()}' WHERE id = 'p00004'`);
      await p.put('p00100');
      await p.run(`delta ${options} --api_job_id 2`, job(2));
      expect(last(p.t)).toMatchObject({ added: 1, updated: 1, deleted: 3, kept: 0 });
      expect(last(p.t)).not.toHaveProperty('held');
      const left = {
        ...without(all(60), ['p00002', 'p00030', 'p00060']),
        p00004: 'second',
        p00100: 'second',
      };
      expect(await p.t.names()).toEqual(left);
      // The same deletions come again within the margin of the watermark.
      await p.run(`delta ${options} --api_job_id 3`, job(3));
      expect(last(p.t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });
      expect(await p.t.names()).toEqual(left);
    });

    it('keeps a record that was deleted and added again, and one that is newer than a late deletion', async () => {
      await using p = await synced(setup, 60);
      await p.mark(['p00001', 'p00002'], { at: minutesAgo(2) });
      await p.put('p00001');
      await p.put('p00002');
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ added: 0, updated: 2, deleted: 0 });
      const names = { ...all(60), p00001: 'second', p00002: 'second' };
      expect(await p.t.names()).toEqual(names);
      // As a replica that lags behind would say it.
      await p.exec(`DELETE FROM places WHERE id = 'p00001' AND deleted_at IS NULL`);
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ deleted: 0 });
      expect(await p.t.names()).toEqual(names);
      await p.mark(['p00001'], { at: now() });
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ deleted: 1 });
      expect(await p.t.names()).toEqual(without(names, ['p00001']));
    });

    it('holds them above the limits, until an answer or --force-delete', async () => {
      await using p = await synced(setup, 60);
      const gone = someIds(20);
      await p.mark(gone, { at: now() });
      await p.put('p00100');
      for (const nth of [2, 3]) {
        await p.run(`delta -n 7 --api_job_id ${nth}`, job(nth));
        expect(last(p.t)).toMatchObject({ added: 3 - nth, deleted: 0, kept: 20, held: 20 });
        expect(await p.t.names()).toEqual({ ...all(60), p00100: 'second' });
        expect(waiting(p.t)).toEqual(gone);
      }
      // One that never waited goes, and the others go on waiting.
      await p.mark(['p00040'], { at: now() });
      await p.run('delta --api_job_id 4', { ...job(4), SYNCRATOR_MAX_DELETE_PERCENT: '90' });
      expect(last(p.t)).toMatchObject({ deleted: 1, held: 20 });
      expect(waiting(p.t)).toEqual(gone);
      p.t.receiver.approved = gone.slice(0, 5);
      await p.run(`${REMOVE} --api_job_id 5`, job(5));
      expect(last(p.t)).toMatchObject({ deleted: 5, held: 15 });
      await p.run('delta --force-delete --api_job_id 6', job(6));
      expect(last(p.t)).toMatchObject({ deleted: 15 });
      expect(last(p.t)).not.toHaveProperty('held');
      expect(waiting(p.t)).toEqual([]);
      const left = { ...without(all(60), [...gone, 'p00040']), p00100: 'second' };
      expect(await p.t.names()).toEqual(left);
      await p.run('sync --api_job_id 7', job(7));
      expect([waiting(p.t), await p.t.names()]).toEqual([[], left]);
    });

    it('removes nothing if one of them is that of a canary', async () => {
      await using p = await synced(setup, 60);
      await p.mark(['p00001', 'p00002'], { at: now() });
      for (const options of ['delta', 'delta --force-delete']) {
        const { code, output } = await p.attempt(options, { CANARY_IDS: 'p00002' });
        expect(code).toBe(EXIT.incompleteListing);
        expect(output).toContain('CANARY_IDS');
        expect(await p.t.names()).toEqual(all(60));
      }
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ deleted: 2 });
    });

    it('removes one that was deleted, added again and deleted again, whichever row says so', async () => {
      await using p = await synced(setup, 60);
      await p.mark(['p00001'], { deletedAt: minutesAgo(30) });
      await p.put('p00001', minutesAgo(20));
      await p.exec(
        `UPDATE places SET name = 'second', updated_at = '${minutesAgo(20)}' WHERE id = 'p00002';
         INSERT INTO places (id, name, updated_at, deleted_at)
         VALUES ('p00002', 'first', '${minutesAgo(90)}', '${minutesAgo(30)}')`,
      );
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ updated: 2, deleted: 0 });
      await p.exec(`UPDATE places SET deleted_at = '${minutesAgo(1)}' WHERE name = 'second'`);
      await p.run('delta');
      expect(last(p.t)).toMatchObject({ deleted: 2 });
      expect(await p.t.names()).toEqual(without(all(60), ['p00001', 'p00002']));
    });

    it('holds them beside what waits already', async () => {
      await using p = await synced(setup, 60);
      await p.exec(`DELETE FROM places WHERE id IN ('p00002', 'p00010', 'p00020')`);
      const strict = { SYNCRATOR_MAX_DELETE_PERCENT: '0' };
      await p.run('sync --api_job_id 2', { ...job(2), ...strict });
      expect(waiting(p.t)).toEqual(['p00002', 'p00010', 'p00020']);
      await p.mark(['p00001', 'p00015', 'p00060'], { at: now() });
      await p.run('delta --api_job_id 3', { ...job(3), ...strict });
      expect(last(p.t)).toMatchObject({ deleted: 0, held: 3 });
      expect(waiting(p.t)).toEqual(['p00001', 'p00002', 'p00010', 'p00015', 'p00020', 'p00060']);
      expect(await p.t.names()).toEqual(all(60));
    });

    it('removes them too if an earlier attempt was broken behind them', async () => {
      await using p = await synced(setup, 60);
      await p.exec(`UPDATE places SET updated_at = '${now()}'`);
      await p.mark(['p00001', 'p00009'], { at: now() });
      await p.put('p00050');
      const broken = await p.attempt('delta -n 2 --api_job_id 2', job(2));
      expect(broken.code).toBe(EXIT.notConfigured);
      expect(broken.output).toContain('two rows have this id');
      // As many rows as before, so that the attempt may go on.
      await p.exec(`DELETE FROM places WHERE id = 'p00050'`);
      await p.put('p00050', now(), 'first');
      await p.put('p00099');
      const checkpoint = JSON.stringify(last(p.t)?.checkpoint);
      const again = { ...job(2, { attempt: 2 }), SYNCRATOR_CHECKPOINT: checkpoint };
      await p.run('delta -n 2 --api_job_id 2', again);
      expect(last(p.t)).toMatchObject({ deleted: 2 });
      const names = { ...all(60), p00099: 'second' };
      expect(await p.t.names()).toEqual(without(names, ['p00001', 'p00009']));
      await p.run('delta -n 2 --api_job_id 2', { ...again, SYNCRATOR_ATTEMPT: '3' });
      expect(last(p.t)).toMatchObject({ deleted: 2 });
    });
  });
}
