import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

const now = (): string => new Date().toISOString();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function watermarksAt(time: number) {
  return (state: Record<string, unknown>): Record<string, unknown> => {
    const generations = state['generations'] as Record<string, { watermark: string }>;
    for (const kept of Object.values(generations)) kept.watermark = new Date(time).toISOString();
    return state;
  };
}

describe('delta into Solr', () => {
  it('moves the watermark even if nothing has changed', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await t.run('sync');
    await t.setState(watermarksAt(Date.now() - 3 * DAY_MS));
    expect((await t.run('delta', { WATERMARK_MARGIN: '2h' })).code).toBe(EXIT.ok);
    const { generations } = (await t.state()) as { generations: Record<string, { watermark: string }> };
    const margin = Date.now() - Date.parse(generations[`${t.app}_b`]?.watermark ?? '');
    expect(margin).toBeGreaterThanOrEqual(2 * HOUR_MS);
    expect(margin).toBeLessThan(3 * HOUR_MS);
    expect(t.receiver.reports.at(-1)?.watermark).toBe(generations[`${t.app}_b`]?.watermark);
  });

  it('compares everything if the watermark lies in the future', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await t.run('sync');
    await t.setState(watermarksAt(Date.now() + DAY_MS));
    t.source.put({ id: 'new', updated_at: '2025-06-01T00:00:00Z', name: 'new' });
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('reports that changes above the update limit are live, and reads them again', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync');
    t.source.put(...someRows(20, now()).map((row) => ({ ...row, name: 'changed' })));
    const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '50' };
    expect((await t.run('delta', limit)).code).toBe(EXIT.updateGuard);
    const said = t.receiver.reports.at(-1)?.message;
    expect(said).toContain('so these changes are live; the watermark stays: 20 of 20 records would change');
    expect(said).not.toContain('nothing was changed');
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect((await t.run('delta', limit)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ updated: 0, records_done: 20 });
  });
});

describe('delete in Solr', () => {
  it('counts deletions of a killed attempt as done and makes them visible', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync');
    for (const { id } of someRows(8)) t.source.rows.delete(id);
    // As if the program had died between its batch and its commit. The guard would refuse all 8.
    await solr.call(`${t.app}/update`, { delete: someRows(5).map(({ id }) => id) });
    expect((await t.run('delete -n 1')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 3 });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});

describe('rollback in Solr', () => {
  it('restores data that another program had loaded, from which no delta can continue', async () => {
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

  it('switches back and forth', async () => {
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

  it('restores the watermark, so that the next delta misses nothing', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync');
    // Its time is long before the second sync, so only the first sync's watermark finds it.
    await t.setState(watermarksAt(Date.now() - 3 * DAY_MS));
    const yesterday = new Date(Date.now() - DAY_MS).toISOString();
    t.source.put({ id: 'r00002', updated_at: yesterday, name: 'changed' });
    await t.run('sync');
    await t.run('rollback');
    expect((await t.names())['r00002']).toBe('row 2');
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('refuses a collection that was recreated', async () => {
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
