/** What becomes of a record: its document, a refused one, and one that the listing lacks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { lines, someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-opensearch-'));
let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const now = (): string => new Date().toISOString();
const last = (t: OpenSearchSetup) => t.receiver.reports.at(-1);
const said = (t: OpenSearchSetup): string => last(t)?.message ?? '';
const mapping = (name: string, body: object): Record<string, string> => {
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(body));
  return { SINK_MAPPING: file };
};
const mappingsOf = async (t: OpenSearchSetup) =>
  Object.values(await server.call('GET', `${t.alias}/_mapping`))[0] as { mappings: Record<string, unknown> };

describe('a document', () => {
  it('holds the record unchanged, with its id and its time in UTC; only these two are indexed', async () => {
    const record = {
      name: 'tab\tline\nquote"',
      subjects: ['x', 'y, z', null],
      maker: { name: 'n', born: [1900], 'with.dot': 1 },
      'a.b': 1,
      nothing: null,
      lent: false,
    };
    await using t = await openSearchSetup(server, [
      { id: 'a,b "c" \\d é😀/?', updated_at: '2025-06-01T12:00:00.123456+02:00', ...record },
    ]);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    expect(await server.documents(t.alias)).toEqual({
      'a,b "c" \\d é😀/?': { id: 'a,b "c" \\d é😀/?', updated_at: '2025-06-01T10:00:00.123Z', ...record },
    });
    expect((await mappingsOf(t)).mappings).toEqual({
      _meta: { syncrator: { alias: t.alias } },
      dynamic: 'false',
      properties: { id: { type: 'keyword' }, updated_at: { type: 'date' } },
    });
  });

  it('has mapping and settings of SINK_MAPPING, from the next sync on', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    const environment = mapping('own', {
      mappings: { _meta: { by: 'hand' }, properties: { name: { type: 'keyword' } } },
      settings: { number_of_replicas: 0 },
    });
    await t.run('sync');
    await t.run('sync', environment);
    expect((await mappingsOf(t)).mappings).toMatchObject({
      _meta: { by: 'hand', syncrator: { alias: t.alias } },
      dynamic: 'false',
      properties: { id: { type: 'keyword' }, name: { type: 'keyword' } },
    });
    const found = await server.call('GET', `${t.alias}/_search?q=name:%22row%202%22`);
    expect(found).toMatchObject({ hits: { total: { value: 1 } } });
    expect(await server.call('GET', `${t.alias}/_settings?flat_settings=true`)).toMatchObject({
      [(await t.live()) ?? '']: { settings: { 'index.number_of_replicas': '0' } },
    });
  });

  it('keeps the digits of its numbers when it is carried over for a bad record', async () => {
    await using t = await openSearchSetup(server);
    const exact = '{"id":"a","updated_at":"2025-01-01T00:00:00Z","big":12345678901234567890.10}\n';
    const bad = '{"id":"a","updated_at":"no time"}\n';
    const serve = (body: string) => () =>
      new Response(body, { headers: { 'x-total-count': '1', 'content-length': String(body.length) } });
    t.source.bend = serve(exact);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    t.source.bend = serve(bad);
    expect(await t.run('sync', { MAX_REJECTED: '1' })).toMatchObject({ code: EXIT.ok });
    const raw = await (await fetch(`${server.url}${t.alias}/_search`)).text();
    expect(raw).toContain('"big":12345678901234567890.10');
  });

  it.each([
    [
      'an id of more than 512 bytes',
      { id: `r${'é'.repeat(256)}` },
      'its id has 513 bytes, and an index takes at most 512; use a shorter one',
    ],
    [
      'a field of the server',
      { _id: 'precious' },
      "the field '_id' has a name that the server keeps for itself; rename it (FIELDS)",
    ],
    [
      'a wrong type',
      { pages: 'precious' },
      "the value of the field 'pages' does not fit its type in SINK_MAPPING",
    ],
    [
      'a value for an object',
      { maker: 'precious' },
      "the field 'maker' is an object in SINK_MAPPING, and the record has another value",
    ],
    [
      'an unknown field under strict',
      { strict: { precious: 1 } },
      "SINK_MAPPING knows no field 'precious'; add it there or remove it in the source",
    ],
    [
      'a term that is too long',
      { word: 'precious'.repeat(5_000) },
      "the value of the field 'word' is longer than one term can be (32,766 bytes)",
    ],
  ])('that is refused is named with the reason and without its data: %s', async (what, bad, why) => {
    await using t = await openSearchSetup(server, someRows(2));
    const properties = {
      pages: { type: 'integer' },
      maker: { properties: { name: { type: 'text' } } },
      strict: { dynamic: 'strict', type: 'object' },
      word: { type: 'keyword' },
    };
    const environment = mapping('strict', { mappings: { properties } });
    t.source.put({ id: 'bad', updated_at: now(), ...bad });
    const ended = await t.run('sync', environment);
    expect(ended.code, said(t)).toBe(EXIT.recordsRejected);
    expect(last(t)?.failed_items).toEqual([
      { id: 'id' in bad ? (expect.stringMatching(/^ré+$/) as string) : 'bad', why: `OpenSearch: ${why}` },
    ]);
    if (!what.includes('strict')) expect(ended.output + said(t)).not.toContain('precious');
    expect((await t.run('sync', { ...environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(2)));
  });
});

describe('records that the listing lacks', () => {
  it('stay as long as it is not proven complete', async () => {
    await using t = await openSearchSetup(server);
    const file = (count: number): Record<string, string> => {
      const name = path.join(folder, `${count}.ndjson`);
      writeFileSync(name, lines(someRows(count)));
      return { SOURCE_URL: '', SOURCE_FILE: name, SOURCE_FILE_COMPLETE: 'false' };
    };
    expect((await t.run('sync', file(20))).code).toBe(EXIT.ok);
    const before = await t.live();
    for (const options of ['sync', 'sync --force-delete']) {
      expect((await t.run(options, file(19))).code).toBe(EXIT.incompleteListing);
      expect(said(t)).toMatch(
        /^nothing was changed: 1 live records are missing .* \("r00020"\)\. A switch would lose them/,
      );
    }
    expect(await t.live()).toBe(before);
    expect((await t.run('delta', file(22))).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(22)));
  });

  it('come back with the watermark of before, by a rollback, so that the next delta misses nothing', async () => {
    await using t = await openSearchSetup(server, someRows(10));
    await t.run('sync');
    const day = 86_400_000;
    await t.setState((state) => {
      for (const one of Object.values(state.generations))
        one.watermark = new Date(Date.now() - 3 * day).toISOString();
      return state;
    });
    t.source.put({ id: 'r00002', updated_at: new Date(Date.now() - day).toISOString(), name: 'changed' });
    await t.run('sync');
    await t.run('rollback');
    expect((await t.names())['r00002']).toBe('row 2');
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
