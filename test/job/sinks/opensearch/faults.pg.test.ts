/** A server that is busy, in trouble or not the right one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { sendBulk, write } from '../../../../src/job/sinks/opensearch/bulk.ts';
import { createOpenSearchClient } from '../../../../src/job/sinks/opensearch/client.ts';
import { countDocuments, readStamps } from '../../../../src/job/sinks/opensearch/documents.ts';
import { writeAlias } from '../../../../src/job/sinks/opensearch/write-alias.ts';
import { type Passing, startBendingProxy } from '../../../support/bending-proxy.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

const now = (): string => new Date().toISOString();
const last = (t: OpenSearchSetup) => t.receiver.reports.at(-1);
const said = (t: OpenSearchSetup): string => last(t)?.message ?? '';

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

  it('is not counted while a shard is missing, which it does not call failed', async () => {
    const index = 'half-there';
    await server.call('PUT', `${index}?wait_for_active_shards=0`, {
      settings: {
        number_of_shards: 2,
        number_of_replicas: 0,
        'routing.allocation.total_shards_per_node': 1,
      },
    });
    const told = async () => await server.call('GET', `${index}/_count`).catch(() => null);
    await expect.poll(told).toMatchObject({ _shards: { total: 2, successful: 1, failed: 0 } });
    const { signal: stop } = new AbortController();
    const patience = { patienceMs: 300, stop, onWait: () => {} };
    const client = createOpenSearchClient(server.url, patience);
    await expect(countDocuments(client, index)).rejects.toMatchObject({ code: 'sinkUnreachable' });
    const ids = someRows(20).map(({ id }) => id);
    await expect(readStamps(client, index, ids)).rejects.toMatchObject({
      code: 'sinkUnreachable',
      message: expect.stringContaining('wait until all shards are there') as string,
    });
    await server.call('PUT', `${index}/_alias/${writeAlias(index, 1)}`);
    const target = { index, epoch: 1 };
    const operations = ids.map((id) => write(id, { id }, target));
    // Before our own deadline, after which nothing would be sent again.
    const part = { client, patience: { ...patience, patienceMs: 0 }, alias: index };
    const sink = part as unknown as Parameters<typeof sendBulk>[0];
    await expect(sendBulk(sink, target, operations)).rejects.toMatchObject({
      code: 'sinkUnreachable',
      message: expect.stringMatching(
        /no room for \d+ of \d+ documents: 503 unavailable_shards_exception/,
      ) as string,
    });
    await server.call('DELETE', index);
  });

  it.each(['delta', 'delete'])(
    'whose index is closed during a %s refuses no document for it',
    async (action) => {
      await using t = await openSearchSetup(server, someRows(10));
      await t.run('sync');
      const index = (await t.live()) ?? '';
      t.source.put({ id: 'r00001', updated_at: now(), name: 'new' });
      t.source.rows.delete('r00010');
      t.proxy.before = async ({ path: where }) => {
        if (where.endsWith('/_bulk')) await server.call('POST', `${index}/_close`);
        return undefined;
      };
      t.proxy.after = async ({ path: where }) => {
        if (where.endsWith('/_bulk')) await server.call('POST', `${index}/_open`);
        return undefined;
      };
      expect((await t.run(action, { MAX_REJECTED: '5' })).code).toBe(EXIT.failed);
      expect(said(t)).toBe(`sink: the index ${index} was closed; open it (_open), then run the job again`);
    },
  );
});
