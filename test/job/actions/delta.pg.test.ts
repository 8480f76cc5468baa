import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { page, someRows } from '../support/fake-source.ts';
import { namesOf, type Setup, setup } from '../support/setup.ts';

const HOUR_MS = 3_600_000;

async function watermark(t: Setup): Promise<number> {
  return (await t.sink()).watermark?.getTime() ?? Number.NaN;
}

describe('the action delta', () => {
  it('sets the watermark to the earlier of both clocks at the start of reading, minus the margin', async () => {
    await using t = await setup(someRows(3));
    let offset = -2 * HOUR_MS;
    let margin = HOUR_MS;
    let age: number | null = null;
    t.source.bend = (listing) => {
      const answer = page(listing, { date: new Date(Date.now() + offset).toUTCString() });
      if (age !== null) answer.headers.set('age', String(age));
      return answer;
    };
    const run = async (options: string, environment = {}): Promise<number> => {
      const before = Date.now();
      expect((await t.run(options, environment)).code).toBe(EXIT.ok);
      const behind = before + Math.min(0, offset) - (age ?? 0) * 1000 - margin - (await watermark(t));
      // A Date header has whole seconds.
      expect(behind).toBeGreaterThanOrEqual(-5_000);
      expect(behind).toBeLessThanOrEqual(1_500);
      return behind;
    };
    await run('sync');
    expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(
      expect.stringContaining("the source's clock shows"),
    );
    offset = HOUR_MS;
    await run('delta');
    offset = 0;
    age = 900;
    await run('delta');
    age = null;
    margin = 900_000;
    await run('delta', { WATERMARK_MARGIN: '15m' });
  });

  it.each(['sync', 'delta'])(
    'misses no change after a %s whose source clock was an hour ahead (A5)',
    async (action) => {
      await using t = await setup(someRows(100));
      await t.run('sync');
      t.source.bend = (listing) => page(listing, { date: new Date(Date.now() + HOUR_MS).toUTCString() });
      await t.run(action);
      t.source.bend = null;
      const late = new Date(Date.now() - HOUR_MS / 2).toISOString();
      t.source.put(
        { id: 'r00001', updated_at: late, name: 'new' },
        { id: 'later', updated_at: late, name: 'later' },
      );
      await t.run('delta');
      expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    },
  );

  it('ignores a watermark in the future and warns about it (A5)', async () => {
    await using t = await setup(someRows(30));
    await t.run('sync');
    await t.query(`UPDATE syncrator.sinks SET watermark = '2100-01-01'`);
    t.source.put({ id: 'r00001', updated_at: '2025-02-02T00:00:00Z', name: 'new' });
    t.source.rows.delete('r00002');
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(expect.stringContaining('lies in the future'));
    expect((await t.names())?.['r00001']).toBe('new');
    expect(await t.names(), 'a delta removes nothing').toHaveProperty('r00002');
    expect(await watermark(t)).toBeLessThan(Date.now());
  });

  it('reads from two days earlier if updated_at has no time of day (A7)', async () => {
    const today = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
    await using t = await setup(someRows(30, today));
    await t.run('sync');
    t.source.put(
      { id: 'r00001', updated_at: today, name: 'new' },
      { id: 'added', updated_at: today, name: 'added' },
    );
    const before = await t.query(`SELECT ctid::text FROM cities WHERE id = 'r00002'`);
    await t.run('delta');
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await t.query(`SELECT ctid::text FROM cities WHERE id = 'r00002'`), 'not written again').toEqual(
      before,
    );
  });

  it('finds a record that was committed late; a sync reports one that no delta could find (A8)', async () => {
    await using t = await setup(someRows(30, '2025-01-01T12:34:56Z'));
    await t.run('sync');
    t.source.put({ id: 'r00001', updated_at: new Date(Date.now() - 420_000).toISOString(), name: 'late' });
    await t.run('delta');
    expect((await t.names())?.['r00001']).toBe('late');
    t.source.put({
      id: 'r00002',
      updated_at: new Date(Date.now() - 3 * HOUR_MS).toISOString(),
      name: 'too late',
    });
    await t.run('delta');
    expect((await t.names())?.['r00002']).toBe('row 2');
    await t.run('sync');
    expect((await t.names())?.['r00002']).toBe('too late');
    expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(
      expect.stringMatching(/would have missed 1 .* WATERMARK_MARGIN/),
    );
  });

  it('keeps the watermark after an incomplete listing', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync');
    const before = await watermark(t);
    t.source.put(...someRows(3, new Date().toISOString()));
    t.source.bend = (listing) => page(listing, { total: listing.total + 1 });
    expect((await t.run('delta -n 1')).code).toBe(EXIT.incompleteListing);
    expect(await watermark(t)).toBe(before);
    t.source.bend = null;
    expect((await t.run('delta -n 1')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('resumes from a checkpoint and keeps the watermark of the first attempt', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync');
    t.source.put(...someRows(10, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
    t.source.pageSize = 4;
    t.source.bend = (listing) =>
      listing.query['after'] === 'r00008' ? new Response('', { status: 404 }) : undefined;
    expect((await t.run('delta -n 2')).code).toBe(EXIT.failed);
    const checkpoint = t.receiver.reports.at(-1)?.checkpoint;
    expect(checkpoint).toMatchObject({ action: 'load', mode: 'changes' });
    expect(await t.names(), 'all or nothing').toEqual(namesOf(someRows(10)));
    const [load] = await t.query<{ began: Date; done: string }>('SELECT began, done FROM syncrator.loads');
    expect(Number(load?.done)).toBe(8);
    t.source.bend = null;
    t.source.requests.length = 0;
    expect((await t.run('delta -n 2', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) })).code).toBe(
      EXIT.ok,
    );
    expect(t.source.requests.map((query) => query['after'])).toEqual([undefined, 'r00008']);
    const began = load?.began.getTime() ?? 0;
    expect(await watermark(t)).toBeLessThanOrEqual(began - HOUR_MS);
    expect(await watermark(t)).toBeGreaterThan(began - HOUR_MS - 2_000);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
