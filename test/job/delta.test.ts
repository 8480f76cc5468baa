import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { page, someRows } from './support/fake-source.ts';
import { namesOf, type Setup, setup } from './support/setup.ts';

const MARGIN_MS = 5 * 60_000;

async function watermark(t: Setup): Promise<number> {
  const [row] = await t.query<{ live_watermark: Date }>('SELECT live_watermark FROM syncrator_sink_state');
  return row?.live_watermark.getTime() ?? Number.NaN;
}

describe('delta', () => {
  it('asks for a sync where there has been none', async () => {
    await using t = await setup(someRows(3));
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(t.receiver.reports.at(-1)?.message).toContain('run sync first');
    expect(await t.names()).toBeNull();
  });

  it.each(['-n 2', '-n 3 -c 3', '-n 1000'])(
    'writes what changed, and counts truly, with %s',
    async (options) => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      const now = new Date().toISOString();
      for (let at = 1; at <= 7; at += 1)
        t.source.put({ id: `r0000${at}`, updated_at: now, name: `changed ${at}` });
      for (let at = 1; at <= 3; at += 1) t.source.put({ id: `s${at}`, updated_at: now, name: 'new' });
      expect((await t.run(`delta ${options}`)).code).toBe(EXIT.ok);
      expect(t.receiver.reports.at(-1)).toMatchObject({
        records_done: 10,
        records_total: 10,
        added: 3,
        updated: 7,
      });
      expect(await t.names()).toEqual(namesOf(t.source.rows.values()));

      expect((await t.run(`delta ${options}`)).code).toBe(EXIT.ok);
      expect(t.receiver.reports.at(-1)).toMatchObject({ records_done: 10, added: 0, updated: 0 });
    },
  );

  it("takes the source's clock, read before the records, less five minutes", async () => {
    await using t = await setup(someRows(3));
    const sourceTime = Date.parse('2030-03-03T03:03:03Z');
    let seconds = 0;
    t.source.bend = (listing) => {
      seconds += 60;
      return page(listing, { date: new Date(sourceTime + (seconds - 60) * 1000).toUTCString() });
    };
    await t.run('sync');
    expect(await watermark(t)).toBe(sourceTime - MARGIN_MS);
    seconds = 86_400;
    t.source.put({ id: 'later', updated_at: '2030-03-03T03:04:00Z', name: 'later' });
    await t.run('delta');
    expect(await watermark(t)).toBe(sourceTime + 86_400_000 - MARGIN_MS);
    seconds = 2 * 86_400;
    await t.run('delta');
    expect(await watermark(t), 'moves without changes too').toBe(sourceTime + 2 * 86_400_000 - MARGIN_MS);
  });

  it('leaves the watermark where it was when the listing was incomplete', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync');
    const before = await watermark(t);
    t.source.put(...someRows(3, new Date().toISOString()));
    t.source.bend = (listing) => page(listing, { total: listing.total + 1 });
    expect((await t.run('delta -n 1')).code).toBe(EXIT.failed);
    expect(await watermark(t)).toBe(before);
    t.source.bend = null;
    expect((await t.run('delta -n 1')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('goes on from a checkpoint, with the watermark of the first attempt', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync');
    t.source.put(...someRows(10, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
    t.source.pageSize = 4;
    t.source.bend = (listing) =>
      listing.query['after'] === 'r00008' ? new Response('', { status: 404 }) : undefined;
    expect((await t.run('delta -n 2')).code).toBe(EXIT.failed);
    const checkpoint = t.receiver.reports.at(-1)?.checkpoint as { cursor: string; watermark: string };
    expect(checkpoint.cursor).toBe('r00006');
    t.source.bend = null;
    t.source.requests.length = 0;
    expect((await t.run('delta -n 2', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) })).code).toBe(
      EXIT.ok,
    );
    expect(t.source.requests.map((query) => query['after'])).toEqual([undefined, 'r00006']);
    expect(await watermark(t)).toBe(Date.parse(checkpoint.watermark));
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
