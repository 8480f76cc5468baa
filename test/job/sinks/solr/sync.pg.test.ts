import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import type { Passing } from '../../../support/bending-proxy.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

/** The preparing and switching calls, in words. */
function told(t: SolrSetup): string[] {
  const inWords = ({ path, query, body }: Passing): string | null => {
    const short = (name = ''): string => name.replaceAll(t.app, 'app');
    if (path === 'admin/collections') {
      const { action, name, collections } = query;
      if (action === 'CREATEALIAS') return `${short(name)} -> ${short(collections)}`;
      return action === 'DELETEALIAS' ? `no ${short(name)}` : (action ?? null);
    }
    if (body.includes('*:*') && path.endsWith('/update'))
      return `empty ${short(path)}, commit ${query['commit']}`;
    if (path === `${t.app}-sync/update`) return `load ${short(path)}`;
    return null;
  };
  return t.proxy.passed.map(inWords).filter((words) => words !== null);
}

describe('a sync into Solr', () => {
  it('writes every record into all shards and switches', async () => {
    await using t = await solrSetup(solr, someRows(95), { shards: 2 });
    t.source.pageSize = 40;
    expect(await t.run('sync -n 7 -c 3')).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await t.aliases()).toEqual({ primary: 'b', standby: 'a', loading: null });
  });

  it('writes the records that FIELDS makes, and after other rules all of them anew', async () => {
    await using t = await solrSetup(solr, someRows(3));
    const documents = async () =>
      (await t.solr.documents(t.app)).map(({ id, name, note_s }) => [id, name, note_s]);
    expect(await t.run('sync', { FIELDS: 'rename name=note_s, set name=x' })).toMatchObject({
      code: EXIT.ok,
    });
    expect(await documents()).toEqual([1, 2, 3].map((at) => [`r0000${at}`, 'x', `row ${at}`]));
    const key = { FIELDS_HASH_KEY: 'a key of at least 16 characters' };
    await t.run('sync', { FIELDS: 'hash name', ...key });
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as unknown;
    expect(await documents()).toEqual([1, 2, 3].map((at) => [`r0000${at}`, hash, undefined]));
  });

  it('follows the documented order: read, empty and commit, create the alias, read again', async () => {
    await using t = await solrSetup(solr, someRows(30));
    await t.run('sync');
    t.proxy.passed.length = 0;
    expect((await t.run('sync -n 20')).code).toBe(EXIT.ok);
    const calls = told(t).filter((call) => call !== 'CLUSTERSTATUS');
    const prepared = calls.slice(calls.findIndex((call) => call.startsWith('empty')) - 1);
    expect(prepared).toEqual([
      'LISTALIASES',
      'empty app_a/update, commit true',
      'app-sync -> app_a',
      'LISTALIASES',
      'load app-sync/update',
      'load app-sync/update',
      'LISTALIASES',
      'LISTALIASES',
      'no app-sync',
      'app -> app_a',
      'app-standby -> app_b',
      'LISTALIASES',
      // Old copies of removed records are looked for.
      'LISTALIASES',
      // What waits is told to the api: the number of live records, each that is held, and whether that is unusual.
      'LISTALIASES',
      'LISTALIASES',
      'LISTALIASES',
    ]);
  });

  it('keeps the old data for a rollback and counts the difference', async () => {
    await using t = await solrSetup(solr, someRows(60));
    await t.run('sync');
    const before = await t.names();
    t.source.rows.delete('r00003');
    t.source.put({ id: 'r00004', updated_at: '2026-01-01T00:00:00Z', name: 'other' });
    t.source.put({ id: 'zzz', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 1, updated: 1, deleted: 1 });
    expect(await t.names(`${t.app}-standby`)).toEqual(before);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('shows readers one complete generation at every moment', { timeout: 120_000 }, async () => {
    const rows = (name: string) => someRows(400).map((row) => ({ ...row, name }));
    await using t = await solrSetup(solr, rows('old'));
    await t.run('sync');
    t.source.rows.clear();
    t.source.put(...rows('new'));
    const seen = new Set<string>();
    let looks = 0;
    let over = false;
    const reader = (async () => {
      while (!over) {
        const found = await t.names();
        seen.add(`${Object.keys(found).length} ${[...new Set(Object.values(found))].join(' and ')}`);
        looks += 1;
      }
    })();
    const ended = await t.run('sync -n 20 -c 2');
    over = true;
    await reader;
    expect(ended.code).toBe(EXIT.ok);
    expect(looks).toBeGreaterThan(10);
    seen.add('400 new');
    expect([...seen].sort()).toEqual(['400 new', '400 old']);
    expect(await t.names()).toEqual(namesOf(rows('new')));
  });

  it('stores values unchanged and nested ones as text', async () => {
    await using t = await solrSetup(solr, [
      {
        id: 'a,b "c" \\d é😀',
        updated_at: '2025-06-01T12:00:00.123456+02:00',
        name: 'tab\tline\nquote"',
        subjects: ['x', 'y, z'],
        pages: 12,
        lent: false,
        maker: { name: 'n', born: [1900] },
        _version_: 7,
        nothing: null,
      },
    ]);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    const [document] = await solr.documents(t.app);
    expect(document).toEqual({
      id: 'a,b "c" \\d é😀',
      updated_at_dt: '2025-06-01T10:00:00.123Z',
      name: 'tab\tline\nquote"',
      subjects: ['x', 'y, z'],
      pages: 12,
      lent: false,
      maker_s: '{"name":"n","born":[1900]}',
      _version_: expect.any(Number) as number,
    });
    t.source.rows.clear();
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.deleteGuard);
    t.source.put(...someRows(1));
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual({});
  });

  it.each(['sync', 'sync --force-delete'])('with %s of an empty source changes no alias', async (options) => {
    await using t = await solrSetup(solr, someRows(9));
    await t.run('sync');
    const before = [await t.names(), await t.aliases()];
    t.source.rows.clear();
    expect(await t.run(options)).toMatchObject({ code: EXIT.deleteGuard });
    expect([await t.names(), await t.aliases()]).toEqual(before);
    expect(t.receiver.reports.at(-1)?.message).toContain('the source is empty');
    // The standby was emptied for the failed load, so there is no generation to go back to.
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    expect(await t.names()).toEqual(before[0]);
  });

  it.each([
    ['a record is missing', 'r00007', '9 of 10 loaded records'],
    ['a record too many is there', 'extra', '11 of 10 loaded records'],
  ])('does not switch when %s', async (_, id, said) => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync');
    const before = [await t.names(), await t.aliases()];
    t.proxy.before = async ({ path, body }) => {
      if (!path.endsWith('/update') || !body.includes('waitSearcher')) return undefined;
      t.proxy.before = null;
      const change = id === 'extra' ? [{ id, name: 'x' }] : { delete: [id] };
      await solr.call(`${t.app}-sync/update`, change);
      return undefined;
    };
    expect(await t.run('sync')).toMatchObject({ code: EXIT.failed });
    expect(t.receiver.reports.at(-1)?.message).toContain(said);
    expect([await t.names(), await t.aliases()]).toEqual(before);
  });

  it('does not switch when a sampled id differs from the load', async () => {
    await using t = await solrSetup(solr, someRows(10));
    t.proxy.before = async ({ path, body }) => {
      if (!path.endsWith('/update') || !body.includes('waitSearcher')) return undefined;
      t.proxy.before = null;
      await solr.call(`${t.app}-sync/update`, { delete: someRows(10).map(({ id }) => id) });
      await solr.call(
        `${t.app}-sync/update`,
        someRows(10).map(({ id }) => ({ id: `x${id}`, name: 'x' })),
      );
      return undefined;
    };
    expect(await t.run('sync')).toMatchObject({ code: EXIT.failed });
    expect(t.receiver.reports.at(-1)?.message).toContain('0 of 10 sampled ids');
    expect((await t.aliases()).primary).toBe('a');
  });
});
