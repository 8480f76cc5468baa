import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../support/solr/solr.ts';
import { lines, page, someRows } from '../support/fake-source.ts';
import { namesOf } from '../support/setup.ts';
import { solrSetup } from '../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(() => solr?.stop());

const now = (): string => new Date().toISOString();
const DAY_MS = 86_400_000;

describe('delta', () => {
  it('asks for a sync where there has been none', async () => {
    await using t = await solrSetup(solr, someRows(3));
    for (const action of ['delta', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.failed);
      expect(t.receiver.reports.at(-1)?.message).toContain('run sync first');
    }
  });

  it.each(['-n 3', '-n 2 -c 3', '-n 1000'])('brings what changed, counted, with %s', async (options) => {
    await using t = await solrSetup(solr, someRows(40), { shards: 2 });
    await t.run('sync');
    t.source.put(...someRows(7, now()).map((row) => ({ ...row, name: 'changed' })));
    t.source.put({ id: 'a,new', updated_at: now(), name: 'new' });
    expect((await t.run(`delta ${options}`)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ phase: 'done', added: 1, updated: 7, records_done: 8 });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    // Within the margin of the watermark, all of it is read once more, and nothing has changed.
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 0, records_done: 8 });
    expect((await t.aliases()).primary).toBe('b');
  });

  it('moves the watermark, also where nothing has changed', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await t.run('sync');
    const watermark = async (): Promise<string> => {
      const { generations } = (await t.state()) as { generations: Record<string, { watermark: string }> };
      return generations[`${t.app}_b`]?.watermark ?? '';
    };
    const before = await watermark();
    t.source.bend = (listing) => page(listing, { date: new Date(Date.now() + DAY_MS).toUTCString() });
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(Date.parse(await watermark()) - Date.parse(before)).toBeGreaterThan(DAY_MS / 2);
    expect(Object.keys(t.source.requests.at(-1) ?? {})).toContain('updated_since');
  });
});

describe('delete', () => {
  it.each(['-n 2', '-n 1 -c 3', '-n 1000'])('removes what the source lacks, with %s', async (options) => {
    await using t = await solrSetup(solr, someRows(60), { shards: 2 });
    t.source.pageSize = 25;
    await t.run('sync');
    for (const id of ['r00001', 'r00030', 'r00060']) t.source.rows.delete(id);
    t.source.put({ id: 'new', updated_at: now(), name: 'not for delete to add' });
    expect((await t.run(`delete ${options}`)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ phase: 'done', deleted: 3 });
    t.source.rows.delete('new');
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('deletes nothing of an empty source, after a cut listing, or beyond what is allowed', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync');
    const before = await t.names();
    t.source.bend = (listing) =>
      page(listing, { body: lines(listing.rows, true).split('\n').slice(0, -3).join('\n').concat('\n') });
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.failed);
    t.source.bend = null;
    for (const { id } of someRows(6)) t.source.rows.delete(id);
    expect((await t.run('delete')).code).toBe(EXIT.deleteGuard);
    t.source.rows.clear();
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.deleteGuard);
    expect(await t.names()).toEqual(before);
  });

  it('counts what an attempt that died has deleted already as gone, and shows it', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync');
    for (const { id } of someRows(8)) t.source.rows.delete(id);
    // As if it had died between its batch and its commit. All 8 would be more than the guard lets go.
    await solr.call(`${t.app}/update`, { delete: someRows(5).map(({ id }) => id) });
    expect((await t.run('delete -n 1')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 3 });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});

describe('rollback', () => {
  it('has nowhere to go before the second sync, where nothing was live before the first', async () => {
    await using t = await solrSetup(solr, someRows(3));
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    await t.run('sync');
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    expect((await t.aliases()).primary).toBe('b');
  });

  it('goes back to what somebody else had loaded, which no delta can go on from', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await solr.call(`${t.app}/update?commit=true`, [{ id: 'old', name: 'of another program' }]);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 3, deleted: 1 });
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual({ old: 'of another program' });
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('goes back and forth', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await t.run('sync');
    const first = await t.names();
    t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    await t.run('sync');
    const second = await t.names();
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect([await t.names(), await t.names(`${t.app}-standby`)]).toEqual([first, second]);
    await t.run('rollback');
    expect([await t.names(), await t.names(`${t.app}-standby`)]).toEqual([second, first]);
  });

  it('takes the watermark along, so that the next delta misses nothing', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync');
    // Changed long before the second sync as watermarks go, so that only the first one's watermark finds it.
    await t.setState((state) => {
      const generations = state['generations'] as Record<string, { watermark: string }>;
      for (const kept of Object.values(generations))
        kept.watermark = new Date(Date.now() - 3 * DAY_MS).toISOString();
      return state;
    });
    const yesterday = new Date(Date.now() - DAY_MS).toISOString();
    t.source.put({ id: 'r00002', updated_at: yesterday, name: 'changed' });
    await t.run('sync');
    await t.run('rollback');
    expect((await t.names())['r00002']).toBe('row 2');
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('does not go back to a collection that was made anew', async () => {
    await using t = await solrSetup(solr, someRows(4));
    await t.run('sync');
    await t.run('sync');
    await solr.alias(`${t.app}-standby`, `${t.app}_a`);
    await solr.call(`admin/collections?action=DELETE&name=${t.app}_b`);
    await solr.createCollection(`${t.app}_b`);
    await solr.call(`${t.app}_b/update?commit=true`, [{ id: 'half', name: 'half' }]);
    await solr.alias(`${t.app}-standby`, `${t.app}_b`);
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
