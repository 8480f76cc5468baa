/**
 * Kills the program right after each of its changes in a sink's server, one after the other: readers see one whole
 * generation, and the next attempt ends as without the kill. For sinks that a proxy stands before.
 */
import { expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { BendingProxy, Passing } from '../../../support/bending-proxy.ts';
import { page, someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { makePlaces, PLACES, putPlaces, someIds } from '../../sources/sql/support/database.ts';
import { sqliteDatabase } from '../../sources/sql/support/sqlite.ts';
import { idsOf, lose, REMOVE, waiting } from './held-removals.ts';
import { job, type TestedSink } from './tested-sink.ts';

type Proxied = TestedSink & { readonly proxy: BendingProxy };

export const rows = (name: string) => someRows(30).map((row) => ({ ...row, name }));

/**
 * Spawns the program and kills it once the server has done its `nth` change, whose answer is lost.
 * @returns its exit code; null if it was killed
 */
export async function killedAfter(
  t: Proxied,
  isChange: (request: Passing) => boolean,
  options: string,
  nth: number,
  environment: Record<string, string> = {},
): Promise<number | null> {
  let changes = 0;
  const { child, ended } = t.spawn(options, environment);
  t.proxy.after = (request) => {
    if (!isChange(request)) return undefined;
    changes += 1;
    if (changes < nth) return undefined;
    child.kill('SIGKILL');
    return 'cut';
  };
  const { code } = await ended;
  t.proxy.after = null;
  return code;
}

export async function expectWhole(t: Proxied, where: string): Promise<void> {
  const seen = Object.values(await t.names());
  expect([...new Set(seen)], where).toHaveLength(1);
  expect(seen, where).toHaveLength(30);
}

export function testKills<T extends Proxied>(
  name: string,
  of: {
    setup(rows: ReturnType<typeof someRows>): Promise<T>;
    isChange(request: Passing): boolean;
    /** Checks that nothing is left unfinished. */
    settled(t: T): Promise<void>;
    /** How many changes each action makes at least; `hold`: a sync whose removals wait. */
    least: Record<'sync' | 'rollback' | 'delta' | 'delete' | 'hold' | 'remove', number>;
  },
): void {
  it(`a sync into ${name} killed after any of its changes leaves a complete generation to readers, and the next sync succeeds`, {
    timeout: 300_000,
  }, async () => {
    await using t = await of.setup(rows('0'));
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      t.source.put(...rows(String(nth)));
      const saved = t.receiver.reports.length;
      code = await killedAfter(t, of.isChange, 'sync -n 10', nth);
      await expectWhole(t, `killed after change ${nth}`);
      const checkpoint = t.receiver.reports.slice(saved).at(-1)?.checkpoint;
      const again = await t.run('sync -n 10', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint ?? null) });
      expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
      expect(await t.names(), `after change ${nth}`).toEqual(namesOf(rows(String(nth))));
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.sync);
  });

  it(`a rollback in ${name} killed after any of its changes is completed exactly once by the next attempt`, {
    timeout: 120_000,
  }, async () => {
    await using t = await of.setup(rows('old'));
    await t.run('sync');
    t.source.put(...rows('new'));
    await t.run('sync');
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      const before = await t.names();
      // Each rollback undoes the one before it.
      const back = `rollback --api_job_id ${nth}${nth > 1 ? ` --before ${nth - 1}` : ''}`;
      code = await killedAfter(t, of.isChange, back, nth);
      await expectWhole(t, `killed after change ${nth}`);
      expect((await t.run(back)).code, `after change ${nth}`).toBe(EXIT.ok);
      await expectWhole(t, `after change ${nth}`);
      expect(await t.names(), `after change ${nth}`).not.toEqual(before);
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.rollback);
  });

  it(`a rollback in ${name} killed after any of its changes is undone by one to before it, or there is nothing to undo`, {
    timeout: 240_000,
  }, async () => {
    await using t = await of.setup([]);
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      for (const generation of ['old', 'new']) {
        t.source.put(...rows(generation));
        await t.run('sync');
      }
      code = await killedAfter(t, of.isChange, `rollback --api_job_id ${2 * nth}`, nth);
      const undo = `rollback --before ${2 * nth} --api_job_id ${2 * nth + 1}`;
      expect([EXIT.ok, EXIT.nothingToRollBack], `after change ${nth}`).toContain((await t.run(undo)).code);
      expect(await t.names(), `after change ${nth}`).toEqual(namesOf(rows('new')));
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.rollback);
  });

  it.each(['delta', 'delete'] as const)(
    `a %s in ${name} killed after any of its changes is completed by the next attempt`,
    { timeout: 240_000 },
    async (action) => {
      await using t = await of.setup(rows('0'));
      await t.run('sync');
      let nth = 0;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        t.source.put(...rows(String(nth)).map((row) => ({ ...row, updated_at: new Date().toISOString() })));
        t.source.rows.delete(`r000${10 + nth}`);
        if (action === 'delete') await t.run('delta');
        const step = `${action} -n 10 --api_job_id ${nth}`;
        code = await killedAfter(t, of.isChange, step, nth);
        const again = await t.run(step, { SYNCRATOR_ATTEMPT: '2' });
        expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
        if (action === 'delta') await t.run('delete');
        expect(await t.names(), `after change ${nth}`).toEqual(namesOf(t.source.rows.values()));
      }
      expect(nth).toBeGreaterThanOrEqual(of.least[action]);
    },
  );

  it(`deletions that a source tells a delta into ${name} are done or wait after a kill at any change and the next attempt`, {
    timeout: 400_000,
  }, async () => {
    await using t = await of.setup([]);
    await using db = await sqliteDatabase();
    const ids = someIds(90);
    await makePlaces(db, []);
    await putPlaces(db, ids, '2026-01-01 00:00:00');
    const settings = { SOURCE: 'sql', SOURCE_URL: db.url, ...PLACES, SOURCE_DELETED_AT: 'deleted_at' };
    expect((await t.run('sync', settings)).code).toBe(EXIT.ok);
    let gone: string[] = [];
    let held: string[] = [];
    for (const limit of ['90', '0']) {
      let nth = 0;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        const where = `at most ${limit} percent, after change ${nth}`;
        const told = ids.slice(gone.length + held.length, gone.length + held.length + 2);
        await db.exec(
          `UPDATE places SET deleted_at = '2026-01-02 00:00:00' WHERE id IN ('${told.join("', '")}');
           UPDATE places SET name = '${nth}', updated_at = '2026-01-01 00:00:00' WHERE id = 'p00090'`,
        );
        if (limit === '0') held = [...held, ...told];
        else gone = [...gone, ...told];
        const step = `delta -n 10 --api_job_id ${nth + Number(limit === '0') * 100}`;
        const environment = { ...settings, SYNCRATOR_MAX_DELETE_PERCENT: limit };
        code = await killedAfter(t, of.isChange, step, nth, environment);
        t.receiver.waiting = null;
        const again = await t.run(step, { ...environment, SYNCRATOR_ATTEMPT: '2' });
        expect([again.code, again.output], where).toEqual([EXIT.ok, again.output]);
        const left = ids.filter((id) => !gone.includes(id));
        expect(Object.keys(await t.names()).toSorted(), where).toEqual(left);
        if (limit === '0') expect(waiting(t), where).toEqual(held);
        await of.settled(t);
      }
      expect(nth).toBeGreaterThan(3);
    }
  });

  it(`a sync into ${name} that holds records, killed after any of its changes, holds them at the next attempt`, {
    timeout: 300_000,
  }, async () => {
    await using t = await of.setup(rows('0'));
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    lose(t, idsOf(10));
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      const before = await t.names();
      t.source.put(...rows(String(nth)).slice(10));
      const after = { ...namesOf(rows('0').slice(0, 10)), ...namesOf(t.source.rows.values()) };
      const saved = t.receiver.reports.length;
      code = await killedAfter(t, of.isChange, 'sync -n 10', nth);
      expect([before, after], `killed after change ${nth}`).toContainEqual(await t.names());
      const checkpoint = t.receiver.reports.slice(saved).at(-1)?.checkpoint;
      // Every other time the load is not resumed.
      const resume = nth % 2 === 0 ? {} : { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint ?? null) };
      t.receiver.waiting = null;
      expect(await t.run('sync -n 10', resume), `after change ${nth}`).toMatchObject({ code: EXIT.ok });
      expect(await t.names(), `after change ${nth}`).toEqual(after);
      expect(waiting(t), `after change ${nth}`).toEqual(idsOf(10));
      expect(t.receiver.reports.at(-1), `after change ${nth}`).toMatchObject({ deleted: 0, held: 10 });
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.hold);
  });

  it(`a load of ${name}, killed between the carry-over and the switch, resumes without what came back meanwhile`, async () => {
    await using t = await of.setup(rows('0'));
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    // The last ones by id: a resumed listing reads on after the others.
    lose(t, idsOf(30, 18));
    t.source.put(...rows('1').slice(0, 18));
    // A total within the limits of evidence, which the next attempt is told too: else it would load anew.
    let asked = 0;
    t.source.bend = (listing) => ((asked += 1) === 1 ? page(listing, { total: 19 }) : undefined);
    const { child, ended } = t.spawn('sync -n 10');
    let carried = false;
    t.proxy.before = async (request) => {
      if (!carried || !of.isChange(request)) return undefined;
      await expect.poll(() => t.receiver.reports.at(-1)?.checkpoint).toBeTruthy();
      child.kill('SIGKILL');
      return 'cut';
    };
    t.proxy.after = ({ body }) => {
      // A piece of the list is written, then the documents.
      if (body.includes('"name":"0"')) carried = true;
      return undefined;
    };
    const { code } = await ended;
    [t.proxy.before, t.proxy.after] = [null, null];
    expect([code, carried]).toEqual([null, true]);
    expect(await t.names()).toEqual(namesOf(rows('0')));
    const checkpoint = JSON.stringify(t.receiver.reports.at(-1)?.checkpoint ?? null);
    const [back] = rows('back').slice(29);
    if (back) t.source.put(back);
    t.source.requests.length = 0;
    expect(await t.run('sync -n 10', { SYNCRATOR_CHECKPOINT: checkpoint })).toMatchObject({ code: EXIT.ok });
    const [first] = t.source.requests.filter((query) => query['after'] !== undefined);
    expect(first?.['after']).toBe('r00018');
    expect(await t.names()).toEqual({
      ...namesOf(rows('1').slice(0, 18)),
      ...namesOf(rows('0').slice(18, 29)),
      r00030: 'back',
    });
    expect(waiting(t)).toEqual(idsOf(29, 18));
    await of.settled(t);
  });

  it(`an approved removal in ${name} killed after any of its changes is completed by the next attempt`, {
    timeout: 240_000,
  }, async () => {
    await using t = await of.setup(rows('0'));
    await t.run('sync --api_job_id 1', job(1));
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      t.source.put(...rows('0'));
      await t.run('sync');
      lose(t, idsOf(12));
      await t.run('sync');
      t.receiver.approved = idsOf(10, 1);
      const step = `${REMOVE} --api_job_id ${nth + 1}`;
      code = await killedAfter(t, of.isChange, step, nth);
      const again = await t.run(step, { ...job(nth + 1), SYNCRATOR_ATTEMPT: '2' });
      expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
      expect(waiting(t), `after change ${nth}`).toEqual(['r00001', 'r00011', 'r00012']);
      const left = rows('0').filter(({ id }) => !idsOf(10, 1).includes(id));
      expect(await t.names(), `after change ${nth}`).toEqual(namesOf(left));
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.remove);
  });
}
