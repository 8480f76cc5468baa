/** What becomes of a record, and of a server that is busy, in trouble or not the right one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { Passing } from '../../../support/bending-proxy.ts';
import { startBendingProxy } from '../../../support/bending-proxy.ts';
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

describe('a busy OpenSearch', () => {
  /** As a server whose queue is full: does the first half of a bulk request, and refuses the others for now. */
  const halfDone = async ({ path: where, query, body }: Passing) => {
    const operations = body.split('\n').slice(0, -1);
    const done = operations.slice(0, 2 * Math.floor(operations.length / 4));
    if (done.length > 0)
      await fetch(`${server.url}${where}?${new URLSearchParams(query).toString()}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: `${done.join('\n')}\n`,
      });
    const items = Array.from({ length: operations.length / 2 }, (_, nth) =>
      nth < done.length / 2
        ? { index: { status: 201 } }
        : { index: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'queue' } } },
    );
    return { status: 200, body: { errors: true, items } };
  };

  it('is written to in smaller and smaller parts, until every document is there once', async () => {
    await using t = await openSearchSetup(server, someRows(60));
    let refused = 0;
    t.proxy.before = (request) => {
      if (!request.path.endsWith('/_bulk')) return undefined;
      refused += 1;
      if (refused % 5 === 0) return { status: 429, body: { error: { type: 'x', reason: 'too many' } } };
      return refused % 5 < 4 ? halfDone(request) : undefined;
    };
    const ended = await t.run('sync -n 20 -c 2');
    expect(ended).toMatchObject({ code: EXIT.ok });
    expect(ended.output).toMatch(
      /waiting for the sink: OpenSearch _bulk: has no room for \d+ of \d+ documents: 429 es_rejected/,
    );
    expect(refused).toBeGreaterThan(6);
    expect(await t.names()).toEqual(namesOf(someRows(60)));
    expect(last(t)).toMatchObject({ phase: 'done', waiting_for: null, added: 60 });
  });

  it('for longer than the patience ends the run; what is live stays', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    t.proxy.before = ({ path: where, body }) => {
      const items = body
        .split('\n')
        .filter((line) => line.startsWith('{"index"'))
        .map(() => ({
          index: { status: 429, error: { type: 'circuit_breaking_exception', reason: null } },
        }));
      return where.endsWith('/_bulk') ? { status: 200, body: { errors: true, items } } : undefined;
    };
    expect((await t.run('sync')).code).toBe(EXIT.sinkUnreachable);
    expect(said(t)).toMatch(
      /has no room for 3 of 3 documents: 429 circuit_breaking_exception; gave up after \d+ attempts/,
    );
    expect(await t.names()).toEqual(namesOf(someRows(3)));
  });

  it('whose proxy takes no large request gets smaller ones', async () => {
    await using t = await openSearchSetup(server, someRows(40));
    t.source.put({ id: 'large', updated_at: now(), name: 'x'.repeat(4_000) });
    t.proxy.before = ({ path: where, body }) =>
      where.endsWith('/_bulk') && body.length > 3_000 ? { status: 413, body: {} } : undefined;
    expect((await t.run('sync', { MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(last(t)?.failed_items).toEqual([
      {
        id: 'large',
        why: 'OpenSearch: it is larger than the server, or a proxy before it, takes in one request',
      },
    ]);
    expect(await t.names()).toEqual(namesOf(someRows(40)));
  });
});

describe('a faulty OpenSearch', () => {
  it('that loses the answer to every change once changes nothing but the duration', async () => {
    await using t = await openSearchSetup(server, someRows(30));
    const lost = new Set<string>();
    t.proxy.after = ({ method, path: where, query, body }) => {
      const key = `${method}${where}${JSON.stringify(query)}${body}`;
      if (method === 'GET' || /_count|_search|_mget/.test(where) || lost.has(key)) return undefined;
      lost.add(key);
      return 'cut';
    };
    expect(await t.run('sync -n 10 --api_job_id 1')).toMatchObject({ code: EXIT.ok });
    expect(lost.size).toBeGreaterThan(10);
    t.source.put(...someRows(5, now()).map((row) => ({ ...row, name: 'changed' })));
    t.source.rows.delete('r00030');
    expect((await t.run('delta --api_job_id 2')).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 0, updated: 5 });
    expect((await t.run('delete --api_job_id 3')).code).toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 4')).code).toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 5')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await t.indexes()).toHaveLength(2);
  });

  it.each([
    ['a record is missing', 'r00007', '9 of 10 loaded records'],
    ['a record too many is there', 'extra', '11 of 10 loaded records'],
  ])('is not switched to when %s', async (_, id, words) => {
    await using t = await openSearchSetup(server, someRows(10));
    await t.run('sync');
    const before = await t.live();
    t.proxy.before = async ({ path: where }) => {
      if (!where.endsWith('/_refresh')) return undefined;
      t.proxy.before = null;
      const index = where.replace('/_refresh', '');
      await server.call(
        id === 'extra' ? 'PUT' : 'DELETE',
        `${index}/_doc/${id}`,
        id === 'extra' ? { id } : undefined,
      );
      return undefined;
    };
    expect((await t.run('sync')).code).toBe(EXIT.failed);
    expect(said(t)).toContain(words);
    expect(await t.live()).toBe(before);
  });

  it('whose live index somebody else writes to is not taken for complete', async () => {
    await using t = await openSearchSetup(server, someRows(10));
    await t.run('sync');
    await server.call('PUT', `${t.alias}/_doc/theirs`, { name: 'theirs' });
    for (const action of ['sync', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.failed);
      expect(said(t)).toContain('another program writes to it');
    }
    expect(await t.names()).toMatchObject({ theirs: 'theirs' });
  });

  it('that is down is reported as unreachable, without the credentials', async () => {
    await using t = await openSearchSetup(server);
    const gone = await startBendingProxy(server.url);
    await gone[Symbol.asyncDispose]();
    const sink = t.sink({}, { url: gone.url.replace('//', '//admin:gran%40ola@'), patienceMs: 300 });
    const error: unknown = await sink.open().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'sinkUnreachable' });
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toContain('gran');
    expect(sink.shownAs).toBe(gone.url.replace('//', '//<FILTERED>@'));
  });

  it('that requires credentials gets them only in the header, and a refusal says how to fix it', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    const wanted = `Basic ${Buffer.from('admin:gran@ola').toString('base64')}`;
    t.proxy.before = ({ authorization }) => (authorization === wanted ? undefined : { status: 401 });
    const url = (password: string): string => t.proxy.url.replace('//', `//admin:${password}@`);
    const good = await t.run('sync --debug', { SINK_URL: url('gran%40ola') });
    expect(good.code).toBe(EXIT.ok);
    const bad = await t.run('delta --debug', { SINK_URL: url('wrongpass') });
    expect(bad.code).toBe(EXIT.sinkPermission);
    expect(said(t)).toContain('give SINK_URL a user and a password with the rights to read, write, create');
    expect(good.output + bad.output + JSON.stringify(t.receiver.reports)).not.toMatch(/gran|wrongpass/);
  });

  it.each([
    ['another server', { status: 200, body: { hello: 'there' } }, 'an unexpected body'],
    ['an error that is not JSON', { status: 500, body: 'x' }, 'answered 500'],
    ['a redirect', { status: 302, headers: { location: 'http://elsewhere/' } }, 'answered 302'],
  ])('is described in the error: %s', async (_, answer, words) => {
    await using t = await openSearchSetup(server, someRows(3));
    t.proxy.before = () => answer;
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(said(t)).toContain(words);
  });

  it('that answers from a part of its shards is not trusted', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const part = { timed_out: false, _shards: { failed: 1 }, hits: { total: { value: 0 }, hits: [] } };
    t.proxy.after = ({ path: where }) =>
      where.endsWith('/_search') ? { status: 200, body: part } : undefined;
    expect((await t.run('delete')).code).toBe(EXIT.failed);
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
