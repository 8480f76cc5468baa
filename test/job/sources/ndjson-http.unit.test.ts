import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNdjsonHttpSource, type HttpSourceOptions } from '../../../src/job/sources/ndjson-http.ts';
import type { Source } from '../../../src/job/sources/source.ts';
import { describeSource, type SourcePlace } from '../support/every-source.ts';
import {
  collect,
  type FakeRow,
  type FakeSource,
  lines,
  page,
  someRows,
  startFakeSource,
} from '../support/fake-source.ts';

type Started = { fake: FakeSource; source: Source; stop: AbortController; waits: (string | null)[] };

async function start(rows: FakeRow[], options: Partial<HttpSourceOptions> = {}): Promise<Started> {
  const fake = await startFakeSource();
  onTestFinished(() => fake.close());
  fake.put(...rows);
  const stop = new AbortController();
  const waits: (string | null)[] = [];
  const source = createNdjsonHttpSource({
    url: fake.url,
    stop: stop.signal,
    onWait: (words) => waits.push(words),
    patienceMs: 2_000,
    ...options,
  });
  return { fake, source, stop, waits };
}

/** A plain TCP server of HTTP, for misbehaviour that an HTTP library does not allow. */
async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  return await listening(createServer(answer));
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/records`;
}

function open(url: string, options: Partial<HttpSourceOptions> = {}): Source {
  return createNdjsonHttpSource({ url, stop: new AbortController().signal, patienceMs: 500, ...options });
}

async function idsIn(source: Source, batchSize = 10): Promise<string[]> {
  const ids: string[] = [];
  for await (const { records } of source.changedSince(null, null, batchSize))
    ids.push(...records.map(({ id }) => id));
  return ids;
}

const allIds = (count: number): string[] => someRows(count).map(({ id }) => id);

describeSource('NDJSON over HTTP', async (): Promise<SourcePlace> => {
  const fake = await startFakeSource();
  fake.pageSize = 7;
  return {
    put: async (ids, changed) => fake.put(...ids.map((id) => ({ id, updated_at: changed.toISOString() }))),
    remove: async (ids) => {
      for (const id of ids) fake.rows.delete(id);
    },
    open: (stop) => createNdjsonHttpSource({ url: fake.url, stop, patienceMs: 500 }),
    [Symbol.asyncDispose]: () => fake.close(),
  };
});

describe('the ndjson source over HTTP', () => {
  it('reads page after page in batches of the requested size', async () => {
    const { fake, source } = await start(someRows(95));
    fake.pageSize = 33;
    const sizes: number[] = [];
    let done = 0;
    for await (const { records, cursor } of source.changedSince(null, null, 10)) {
      sizes.push(records.length);
      expect(cursor).toEqual({ after: records.at(-1)?.id, done: (done += records.length) });
    }
    expect(sizes).toEqual([...Array<number>(9).fill(10), 5]);
    expect(await source.evidence()).toEqual({
      complete: true,
      words: '95 records read, X-Total-Count 95',
    });
  });

  it('ends a batch at 4 MiB, however few records it has', async () => {
    const rows = someRows(7).map((row) => ({ ...row, text: 'x'.repeat(1_500_000) }));
    const { source } = await start(rows);
    const sizes = (await collect(source.changedSince(null, null, 1000))).map(({ records }) => records.length);
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('resumes from a cursor', async () => {
    const { source } = await start(someRows(30));
    const batches = await collect(source.changedSince(null, { after: 'r00025', done: 25 }, 100));
    expect(batches.map(({ cursor }) => cursor)).toEqual([{ after: 'r00030', done: 30 }]);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('orders ids by bytes, not by UTF-16 units', async () => {
    const ids = ['a', 'z', '\uffff', '😀'];
    const { source } = await start(ids.map((id) => ({ id, updated_at: '2025-01-01T00:00:00Z' })));
    expect(await idsIn(source)).toEqual(ids);
  });

  it('refuses repeated ids, also around surrogates', async () => {
    const { fake, source } = await start(someRows(4));
    const row = (id: string): FakeRow => ({ id, updated_at: '2026-11-01T00:00:00Z' });
    fake.bend = (listing) => page(listing, { body: lines(['\uff5e', '😀', '\uff5e', '😀'].map(row)) });
    await expect(idsIn(source)).rejects.toThrow(/^line 3 of the first page: ids must come in byte order/);
  });

  it('asks caches not to answer', async () => {
    const headers: IncomingMessage['headers'][] = [];
    const url = await serving((request, response) => {
      headers.push(request.headers);
      response.writeHead(200, { 'x-total-count': '0' }).end();
    });
    await collect(open(url).ids(10));
    expect(headers[0]).toMatchObject({ 'cache-control': 'no-cache', accept: 'application/x-ndjson' });
  });

  it('retries after a 503, a cut connection and a truncated page, and repeats no record', async () => {
    const { fake, source } = await start(someRows(30));
    fake.pageSize = 10;
    fake.bend = (listing, count) => {
      if (count === 2) return new Response('', { status: 503 });
      if (count === 4) return page(listing, { body: brokenAfter(lines(listing.rows.slice(0, 4))) });
      if (count === 5) return page(listing, { body: lines(listing.rows).slice(0, -9) });
      return undefined;
    };
    expect(await idsIn(source)).toEqual(allIds(30));
  });

  it.each([
    ['no JSON', 'x', null, /not JSON/],
    ['no id', '{"updated_at":"2025-01-01T00:00:00Z"}', null, /"id"/],
    ['no time', '{"id":"r00002"}', 'r00002', /"updated_at"/],
    ['half an emoji', '{"id":"r00002","updated_at":"2025-01-01T00:00:00Z","a":"\\ud83d"}', 'r00002', /half/],
  ])('sets a record with %s aside, names its line, and continues', async (_, line, id, why) => {
    const { fake, source } = await start(someRows(3));
    fake.bend = (listing) =>
      page(listing, { body: lines(listing.rows).replace(/\n.*\n/, () => `\n${line}\n`) });
    const [batch, ...more] = await collect(source.changedSince(null, null, 10));
    expect(more).toEqual([]);
    expect(batch?.records.map((record) => record.id)).toEqual(['r00001', 'r00003']);
    expect(batch?.rejected).toEqual([
      { where: 'line 2 of the first page', id, why: expect.stringMatching(why) as string },
    ]);
    expect(batch?.cursor).toEqual({ after: 'r00003', done: 3 });
    // A line without an id might be any record.
    expect((await source.evidence()).complete).toBe(id !== null);
  });

  it('names a later page by the id before it', async () => {
    const { fake, source } = await start(someRows(4));
    fake.pageSize = 2;
    fake.bend = (listing) =>
      listing.query['after'] ? page(listing, { body: lines(listing.rows).replace('2025', '25') }) : undefined;
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ rejected }) => rejected)).toMatchObject([
      { where: 'line 1 of the page after "r00002"', id: 'r00003' },
    ]);
  });

  it('sets aside lines that are not UTF-8 or longer than 16 MiB, and skips blank lines', async () => {
    const { fake, source } = await start(someRows(4));
    const bytes = (text: string): Buffer => Buffer.from(text);
    fake.bend = (listing) => {
      const [first = '', second = '', third = '', fourth = ''] = lines(listing.rows).split(/(?<=\n)/);
      const latin = Buffer.from(second.replace('row', 'caf\xe9'), 'latin1');
      const long = bytes(third.replace('row', 'x'.repeat(17 * 1024 * 1024)));
      const body = Buffer.concat([bytes('\uFEFF'), bytes(first), bytes('\r\n'), latin, long, bytes(fourth)]);
      return page(listing, { body: new Uint8Array(body) });
    };
    const batches = await collect(source.changedSince(null, null, 100));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(['r00001', 'r00004']);
    expect(batches.flatMap(({ rejected }) => rejected)).toEqual([
      { where: 'line 3 of the first page', id: null, why: expect.stringMatching(/not UTF-8/) as string },
      {
        where: 'line 4 of the first page',
        id: null,
        why: expect.stringMatching(/longer than 16 MiB/) as string,
      },
    ]);
  });

  it('sets a record without an id aside once, although its page is requested again', async () => {
    const { fake, source } = await start(someRows(3));
    fake.bend = (listing, count) => {
      const body = count === 1 ? `${lines(listing.rows.slice(0, 1))}{}\n{"id` : `{}\n${lines(listing.rows)}`;
      return page(listing, { body, total: 4 });
    };
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ rejected }) => rejected)).toHaveLength(1);
    expect(batches.at(-1)?.cursor).toEqual({ after: 'r00003', done: 4 });
  });

  it('sets a record without an id aside once if it ends a page and thus begins the next', async () => {
    const { fake, source } = await start(someRows(4));
    const [first = '', , third = '', fourth = ''] = lines(someRows(4)).split(/(?<=\n)/);
    fake.bend = (listing) => {
      const isFirst = listing.query['after'] === undefined;
      const body = isFirst ? `${first}{}\n` : `{}\n${third}${fourth}`;
      return page({ ...listing, more: isFirst }, { body });
    };
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual([
      'r00001',
      'r00003',
      'r00004',
    ]);
    expect(batches.flatMap(({ rejected }) => rejected.map(({ where }) => where))).toEqual([
      'line 2 of the first page',
    ]);
    expect(batches.at(-1)?.cursor.done).toBe(4);
  });

  it('sends the credentials of its URL in a header and shows neither', async () => {
    const { fake } = await start(someRows(1));
    const url = fake.url.replace('//', '//me:s3cret%21@');
    const source = open(url);
    expect(source.shownAs).not.toContain('s3cret');
    expect((await source.survey(null)).total).toBe(1);
    await fake.close();
    await expect(source.survey(null)).rejects.toThrow(/^(?!.*s3cret).*ECONNREFUSED.*\[econnrefused\]$/s);
  });

  it('ends at once with the reason when it is stopped', async () => {
    const { fake, source, stop } = await start(someRows(20));
    fake.bend = (listing) =>
      page(listing, { body: new ReadableStream({ pull: () => new Promise(() => {}) }) });
    const reading = idsIn(source);
    await expect.poll(() => fake.requests.length).toBe(1);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('an answer of the ndjson source', () => {
  it.each([201, 202, 203, 204, 206, 300, 304, 404, 410])(
    'with status %d is not a listing',
    async (status) => {
      const { fake, source } = await start(someRows(3));
      const body = [204, 304].includes(status) ? null : lines(someRows(3));
      fake.bend = () => new Response(body, { status, headers: { 'x-total-count': '3' } });
      await expect(collect(source.ids(10))).rejects.toThrow(
        new RegExp(`answered ${status}.*\\[http_error\\]$`),
      );
      expect(fake.requests).toHaveLength(1);
    },
  );

  it.each([401, 403])('with status %d ends the run at once', async (status) => {
    const { fake, source } = await start(someRows(3));
    fake.bend = () => new Response('', { status });
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'sourceUnauthorized',
      message: expect.stringMatching(/\[unauthorized\]$/) as string,
    });
    expect(fake.requests).toHaveLength(1);
  });

  it.each([
    ['text/html', '<!doctype html><p>Log in', /a web page instead of records/],
    ['text/plain', '  <html>', /a web page instead of records/],
    ['application/json', '{"error":"no"}\n', /application\/json without an X-Total-Count header/],
    ['application/json', '[{"id":"a"}]', /a JSON array; write one object per line instead/],
  ])('of type %s is named in the error', async (type, body, words) => {
    const { fake, source } = await start(someRows(3));
    fake.bend = () => new Response(body, { headers: { 'content-type': type } });
    await expect(source.survey(null)).rejects.toThrow(words);
    await expect(idsIn(source)).rejects.toThrow(words);
  });

  it('with a JSON array is not a listing, even with a total', async () => {
    const { fake, source } = await start(someRows(3));
    fake.bend = (listing) => page(listing, { body: JSON.stringify(listing.rows) });
    await expect(idsIn(source)).rejects.toThrow(/answers a JSON array/);
  });

  it.each([301, 302, 303, 307, 308])(
    'that redirects with %d to another origin gets no credentials and is an error',
    async (status) => {
      let asked = 0;
      const elsewhere = await serving((_, response) => {
        asked += 1;
        response.writeHead(200, { 'x-total-count': '0' }).end();
      });
      const here = await serving((_, response) => response.writeHead(status, { location: elsewhere }).end());
      const source = open(here.replace('//', '//me:s3cret@'));
      await expect(collect(source.ids(10))).rejects.toThrow(/set SOURCE_URL to the new address/);
      expect(asked).toBe(0);
    },
  );

  it('that redirects to the same origin keeps the query', async () => {
    const seen: string[] = [];
    const url = await serving((request, response) => {
      seen.push(request.url ?? '');
      if (request.url?.startsWith('/records'))
        response.writeHead(308, { location: '/v2/records?key=1' }).end();
      else response.writeHead(200, { 'x-total-count': '0' }).end();
    });
    await collect(open(`${url}?own=2`).ids(10));
    expect(seen).toEqual([
      '/records?own=2&fields=id&limit=20000',
      '/v2/records?key=1&own=2&fields=id&limit=20000',
    ]);
    const circle = await serving((_, response) => response.writeHead(302, { location: '/records' }).end());
    await expect(open(circle).survey(null)).rejects.toThrow(/redirects more than 5 times/);
  });

  const packed = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const;

  it.each(packed)(
    'compressed with %s is read to its end, and requested again if truncated',
    async (encoding, pack) => {
      const { fake, source } = await start(someRows(50));
      const headers = { 'content-encoding': encoding };
      fake.bend = (listing, count) => {
        const whole = new Uint8Array(pack(lines(listing.rows)));
        return page(listing, { body: count === 1 ? whole.subarray(0, -8) : whole, headers });
      };
      expect(await idsIn(source)).toEqual(allIds(50));
      expect(fake.requests).toHaveLength(2);
    },
  );

  it.each(packed)('compressed with %s without its end proves nothing', async (encoding, pack) => {
    const { fake, source } = await start(someRows(50), { patienceMs: 300 });
    const headers = { 'content-encoding': encoding };
    fake.bend = (listing) => {
      const whole = new Uint8Array(pack(lines(listing.rows, true)));
      return page(listing, { body: whole.subarray(0, -1), headers });
    };
    await expect(collect(source.ids(10))).rejects.toThrow(
      / body (is truncated or corrupt|is empty); .*\[bad_answer\]$/,
    );
    fake.bend = (listing) => page(listing, { body: new Uint8Array(), headers, total: 0 });
    await expect(collect(source.ids(10))).rejects.toThrow(/body is empty/);
  });

  it('may contain a second gzip member, but no unknown encoding', async () => {
    const { fake, source } = await start(someRows(4));
    fake.bend = (listing) => {
      const parts = [listing.rows.slice(0, 2), listing.rows.slice(2)].map((rows) => gzipSync(lines(rows)));
      return page(listing, {
        body: new Uint8Array(Buffer.concat(parts)),
        headers: { 'content-encoding': 'gzip' },
      });
    };
    expect(await idsIn(source)).toEqual(allIds(4));
    fake.bend = (listing) => page(listing, { headers: { 'content-encoding': 'zstd' } });
    await expect(idsIn(source)).rejects.toThrow(/the unknown content-encoding zstd/);
  });

  it('that ends with its connection proves nothing', async () => {
    const url = await listening(
      createTcpServer((socket: Socket) => {
        socket.on('error', () => {});
        socket.once('data', () =>
          socket.end(`HTTP/1.0 200 OK\r\nX-Total-Count: 2\r\n\r\n${lines(someRows(2), true)}`),
        );
      }),
    );
    const source = open(url);
    expect((await collect(source.ids(10))).flatMap(({ ids }) => ids)).toEqual(allIds(2));
    expect(await source.evidence()).toEqual({
      complete: false,
      words: expect.stringMatching(/a page ended with its connection/) as string,
    });
  });

  it('that is shorter than its Content-Length is truncated', async () => {
    const asked: string[] = [];
    const url = await listening(
      createTcpServer((socket: Socket) => {
        socket.on('error', () => {});
        socket.once('data', (request) => {
          asked.push(/after=(\w+)/.exec(String(request))?.[1] ?? '');
          const head = 'HTTP/1.1 200 OK\r\nX-Total-Count: 2\r\nConnection: close\r\nContent-Length:';
          socket.end(
            asked.length === 1 ? `${head} 500\r\n\r\n${lines(someRows(2), true)}` : `${head} 0\r\n\r\n`,
          );
        });
      }),
    );
    const batches = await collect(open(url).ids(10));
    expect(batches.flatMap(({ ids }) => ids)).toEqual(allIds(2));
    expect(asked).toEqual(['', 'r00002']);
  });
});

describe('the totals of the ndjson source', () => {
  const both = [
    ['records', (source: Source) => collect(source.changedSince(null, null, 5))],
    ['ids', (source: Source) => collect(source.ids(5))],
  ] as const;

  it.each(both)('may differ by 10 %% while %s are read', async (_, read) => {
    const { fake, source } = await start(someRows(20));
    fake.pageSize = 10;
    fake.bend = (listing) => page(listing, { total: listing.query['after'] ? 19 : 21 });
    await read(source);
    expect(await source.evidence()).toEqual({
      complete: true,
      words: '20 records read, X-Total-Count from 19 to 21',
    });
  });

  it.each(both)('must not differ by more than 10 %% while %s are read', async (_, read) => {
    const { fake, source } = await start(someRows(20));
    fake.pageSize = 10;
    fake.bend = (listing) => page(listing, { total: listing.query['after'] ? 3 : 20 });
    await expect(read(source)).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(/X-Total-Count from 3 to 20: .*more than 10 %/) as string,
    });
    expect((await source.evidence()).complete).toBe(false);
  });

  it.each(both)('must include the count of %s', async (_, read) => {
    const { fake, source } = await start(someRows(20));
    for (const total of [19, 21]) {
      fake.bend = (listing) => page(listing, { total });
      await expect(read(source)).rejects.toThrow(`20 records read, but X-Total-Count ${total}`);
    }
  });

  it.each(both)('stop %s that have no end', async (_, read) => {
    const { fake, source } = await start([]);
    fake.bend = (listing) => {
      const at = Number((listing.query['after'] ?? 'k100000').slice(1));
      const rows = Array.from({ length: 40 }, (_, index) => ({
        id: `k${at + 1 + index}`,
        updated_at: '2026-11-01T00:00:00Z',
      }));
      return page({ ...listing, rows, more: true }, { total: 100 });
    };
    await expect(read(source)).rejects.toThrow(/120 records read and more follow, but X-Total-Count 100/);
    expect(fake.requests).toHaveLength(3);
  });

  it.each(both)('do not accept the same page of %s again and again', async (_, read) => {
    const { fake, source } = await start(someRows(10));
    fake.bend = (listing) => page({ ...listing, rows: someRows(5), more: true });
    await expect(read(source)).rejects.toThrow(
      /line 1 of the page after "r00005": ids must come in byte order/,
    );
  });

  it('are unknown if a source announces a page and sends none', async () => {
    const { fake, source } = await start(someRows(10));
    fake.bend = (listing) => page({ ...listing, rows: [], more: true });
    await expect(idsIn(source)).rejects.toThrow(/announces a next page and sends no record/);
  });
});

describe('the re-check of ids', () => {
  it('finds existing ids, many per request', async () => {
    const { fake, source } = await start(someRows(500));
    const gone = allIds(500).filter((_, index) => index % 3 === 0);
    for (const id of gone) fake.rows.delete(id);
    expect([...(await source.stillThere(allIds(500)))].toSorted()).toEqual([...fake.rows.keys()].toSorted());
    expect(fake.requests.length).toBeLessThan(20);
    expect(fake.requests[0]).toEqual({ fields: 'id', after: 'r00000\u{10ffff}', limit: '100' });
    fake.rows.clear();
    expect((await source.stillThere(['\u0001', 'a'])).size).toBe(0);
  });

  it.each([
    [
      'ignores `after`',
      (rows: FakeRow[]) => page({ query: {}, rows: rows.slice(0, 3), total: 9, more: true }),
    ],
    ['sends an invalid record', () => new Response('x\n', { headers: { 'x-total-count': '9' } })],
    [
      'is out of order',
      (rows: FakeRow[]) => page({ query: {}, rows: rows.toReversed(), total: 9, more: false }),
    ],
  ])('counts an id as present if the source %s', async (_, bent) => {
    const { fake, source } = await start(someRows(9));
    fake.bend = () => bent(someRows(9));
    expect([...(await source.stillThere(['r00005x']))]).toEqual(['r00005x']);
  });
});

describe('the clock of the ndjson source', () => {
  const dated = async (headers: (now: number) => Record<string, string>[]) => {
    const { fake, source } = await start(someRows(4));
    fake.pageSize = 1;
    const now = Math.floor(Date.now() / 1000) * 1000;
    const each = headers(now);
    fake.bend = (listing, count) => page(listing, { headers: each[count - 1] ?? each[0] ?? {} });
    await idsIn(source);
    return { ...source.clock(), now };
  };
  const at = (time: number): string => new Date(time).toUTCString();

  it('is the earliest of all answers, minus their age', async () => {
    const { earliest, skewMs, now } = await dated((time) => [
      { date: at(time) },
      { date: at(time), age: '900' },
      { date: at(time - 60_000) },
      { date: at(time) },
    ]);
    expect(earliest).toEqual(new Date(now - 900_000));
    expect(Math.abs(skewMs)).toBeLessThan(65_000);
  });

  it('shows how far it is ahead of ours or behind', async () => {
    expect((await dated((now) => [{ date: at(now + 3_600_000) }])).skewMs / 60_000).toBeCloseTo(60, 0);
    expect((await dated((now) => [{ date: at(now - 3_600_000) }])).skewMs / 60_000).toBeCloseTo(-60, 0);
    // An answer that a cache has kept for an hour does not mean a wrong clock.
    const kept = await dated((now) => [{ date: at(now - 3_600_000), age: '3600' }]);
    expect(Math.abs(kept.skewMs)).toBeLessThan(30_000);
  });

  it.each(['-900', 'x', '99999999999', '9e9', '1.5'])('ignores an Age of %s', async (age) => {
    const { earliest, now } = await dated((time) => [{ date: at(time), age }]);
    expect(earliest).toEqual(new Date(now));
  });

  it('is optional', async () => {
    expect(await dated(() => [{ date: 'none' }])).toMatchObject({ earliest: null, skewMs: 0 });
  });
});

describe('an outage of the ndjson source', () => {
  it.each([429, 500, 502, 503, 504])(
    'with status %d is outlasted: the listing resumes from its cursor and reports the wait',
    async (status) => {
      const { fake, source, waits } = await start(someRows(30));
      fake.pageSize = 10;
      fake.bend = (_, count) => (count === 2 || count === 3 ? new Response('', { status }) : undefined);
      expect(await idsIn(source)).toEqual(allIds(30));
      expect(fake.requests.map(({ after }) => after)).toEqual([
        undefined,
        'r00010',
        'r00010',
        'r00010',
        'r00020',
      ]);
      expect(waits).toEqual([
        expect.stringMatching(new RegExp(`answered ${status}; retrying in`)),
        expect.stringMatching(new RegExp(`answered ${status}; retrying in`)),
        null,
      ]);
    },
  );

  it('ends the run with the last answer and the number of attempts', async () => {
    const { fake, source, waits } = await start(someRows(3), { patienceMs: 300 });
    fake.bend = () => new Response('', { status: 502 });
    await expect(idsIn(source)).rejects.toThrow(
      /answered 502; gave up after \d+ attempts in \d+ s \[http_error\]$/,
    );
    expect(waits.at(-1)).toBeNull();
  });

  it('ends at once when the run is stopped', async () => {
    const stop = new AbortController();
    const onWait = (): void => stop.abort(new Error('enough'));
    const { fake, source } = await start(someRows(3), { stop: stop.signal, onWait });
    fake.bend = () => new Response('', { status: 503, headers: { 'retry-after': '200' } });
    await expect(idsIn(source)).rejects.toThrow('enough');
  });

  it('is counted separately from earlier ones', async () => {
    const { fake, source } = await start(someRows(12), { patienceMs: 500 });
    fake.pageSize = 1;
    fake.bend = (_, count) => (count % 2 === 0 ? new Response('', { status: 503 }) : undefined);
    expect(await idsIn(source)).toEqual(allIds(12));
  });

  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 1_500).toUTCString()],
  ])('ends at the announced time, given as %s', async (_, told) => {
    const { fake, source, waits } = await start(someRows(3), { patienceMs: 0 });
    let again = 0;
    const began = performance.now();
    fake.bend = (_listing, count) => {
      again = performance.now() - began;
      return count === 1 ? new Response('', { status: 429, headers: { 'retry-after': told() } }) : undefined;
    };
    expect(await idsIn(source)).toEqual(allIds(3));
    expect(again).toBeGreaterThan(400);
    expect(waits).toHaveLength(2);
  });

  it('with an announced wait of more than five minutes ends the run', async () => {
    const { fake, source } = await start(someRows(3));
    fake.bend = () => new Response('', { status: 503, headers: { 'retry-after': '301' } });
    await expect(idsIn(source)).rejects.toThrow(/asks for a wait of 301 s; the limit is 300 s/);
    expect(fake.requests).toHaveLength(1);
  });

  it('by a port that opens late is outlasted, and a closed port is named', async () => {
    const { fake } = await start(someRows(3));
    const port = Number(new URL(fake.url).port);
    await fake.close();
    const waits: (string | null)[] = [];
    const late = createServer((_, response) => response.writeHead(200, { 'x-total-count': '0' }).end());
    const source = open(fake.url, {
      patienceMs: 20_000,
      onWait: (words) => {
        if (waits.push(words) === 1) late.listen(port, '127.0.0.1');
      },
    });
    onTestFinished(() => void late.close());
    expect(await source.survey(null)).toEqual({ total: 0 });
    expect(waits[0]).toMatch(/ECONNREFUSED/);
    late.closeAllConnections();
    await new Promise((resolve) => late.close(resolve));
    await expect(open(fake.url, { patienceMs: 100 }).survey(null)).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/\[econnrefused\]$/) as string,
    });
  });

  it('by an unknown host is named', async () => {
    const source = open('http://no-such-host.invalid/records', { patienceMs: 0 });
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/\[nxdomain\]$/) as string,
    });
  });

  it.each([
    ['before its headers', () => {}],
    [
      'in mid page',
      (response: ServerResponse) => {
        response.writeHead(200, { 'x-total-count': '3' });
        response.write('{"id":');
      },
    ],
  ])('by silence %s is named', async (_, answer) => {
    const url = await serving((_request, response) => answer(response));
    const source = open(url, { silenceMs: 300, patienceMs: 0 });
    await expect(collect(source.ids(10))).rejects.toMatchObject({
      code: 'sourceTimeout',
      message: expect.stringMatching(/\[timeout\]$/) as string,
    });
  });
});

/** A body that sends some text and then fails. */
function brokenAfter(text: string): ReadableStream {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(new Error('cut'));
      sent = true;
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
}
