/** Source `files` over HTTP, from a real server that breaks off, lies and changes. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { idsIn } from '../sql/support/database.ts';
import { cutAt, startFileServer } from './support/file-server.ts';
import { open } from './support/folder.ts';

const IDS = Array.from({ length: 30_000 }, (_, at) => `p${String(at).padStart(5, '0')}`);
const CSV = `id\n${IDS.join('\n')}\n`;
const COMPLETE = { SOURCE_FILE_COMPLETE: 'true' };
const isWhole = ({ range }: { range?: string | undefined }): boolean => range === undefined;

describe('a file over HTTP', () => {
  it('is fetched, read and proven, and asked for once more to see that it stayed the same', async () => {
    await using server = await startFileServer('places.csv', CSV);
    const source = open(`${server.url}?token=hush`, COMPLETE);
    expect(source.shownAs).toBe(server.url);
    expect(await idsIn(source)).toEqual(IDS);
    expect((await source.evidence()).complete).toBe(true);
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=0-0', undefined, 'bytes=0-0']);
    expect(server.requests.every((headers) => headers['accept-encoding'] === 'identity')).toBe(true);
    expect([...(await source.stillThere(['p00001', 'x']))]).toEqual(['p00001']);
  });

  it('without SOURCE_FILE_COMPLETE proves itself only by its format', async () => {
    await using server = await startFileServer('places.csv', 'id\na\n');
    const plain = open(server.url);
    await idsIn(plain);
    expect((await plain.evidence()).words).toMatch(/nothing proves that .* is complete/);
    server.body = gzipSync('id\na\n');
    const packed = open(server.url);
    expect(await idsIn(packed)).toEqual(['a']);
    expect((await packed.evidence()).complete).toBe(true);
  });

  it.each([
    ['goes on behind the bytes that it has, by its ETag', '"1"', `bytes=100000-`],
    ['begins anew without an ETag', null, undefined],
    ['begins anew with a weak ETag', 'W/"1"', undefined],
  ])('that falls silent %s', async (_, etag, range) => {
    await using server = await startFileServer('places.csv', CSV);
    server.etag = etag;
    server.bend = (request, response, count) =>
      count === 2 && isWhole(request.headers) && cutAt(server, response, 100_000, 'fall silent');
    expect(await idsIn(open(server.url, COMPLETE, { silenceMs: 300 }))).toEqual(IDS);
    expect(server.requests[2]?.range).toBe(range);
  });

  it.each([
    ['parts that are shorter than asked for, is put together from them', 20_000, '"1"', '/SIZE'],
    ['parts of another file, is fetched anew', 200_000, '"2"', '/SIZE'],
    ['parts without the size of the whole, is fetched anew', 20_000, '"1"', '/*'],
  ])('of a server that sends, for the rest, %s', async (_, most, etag, size) => {
    await using server = await startFileServer('places.csv', CSV);
    const { length } = server.body;
    server.bend = (request, response, count) => {
      if (count === 2) return cutAt(server, response, 100_000, 'fall silent');
      const from = Number(/^bytes=(\d{2,})-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
      if (Number.isNaN(from)) return false;
      const part = server.body.subarray(from, from + most);
      const range = `bytes ${from}-${from + part.length - 1}${size.replace('SIZE', String(length))}`;
      response.writeHead(206, { etag, 'content-range': range, 'content-length': part.length }).end(part);
      return true;
    };
    const source = open(server.url, COMPLETE, { silenceMs: 300 });
    expect(await idsIn(source)).toEqual(IDS);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('that is packed for the way is fetched anew when the connection breaks off', async () => {
    await using server = await startFileServer('places.csv', CSV);
    const packed = gzipSync(CSV, { level: 0 });
    server.bend = (request, response, count) => {
      response.setHeader('content-encoding', 'gzip');
      if (count === 2) return cutAt({ ...server, body: packed }, response, 100_000, 'fall silent');
      if (!isWhole(request.headers)) return false;
      response.writeHead(200, { etag: '"1"', 'content-length': packed.length }).end(packed);
      return true;
    };
    expect(await idsIn(open(server.url, COMPLETE, { silenceMs: 300 }))).toEqual(IDS);
    expect(server.requests[2]?.range).toBeUndefined();
  });

  it.each([
    ['with an ETag goes on', '"1"', true],
    ['without an ETag begins anew, since the file may be another one', null, false],
  ])('%s in a later attempt', async (_, etag, goesOn) => {
    await using server = await startFileServer('places.csv', 'id\na\n');
    server.etag = etag;
    const [one, later] = [open(server.url), open(server.url)];
    for (const source of [one, later]) await source.survey(null);
    expect(one.mapping).toBe(one.mapping);
    expect(later.mapping === one.mapping).toBe(goesOn);
  });

  it('that becomes another one while it is fetched fails', async () => {
    await using server = await startFileServer('places.csv', CSV);
    server.bend = (_, response, count) => {
      if (count !== 2) return false;
      const cut = cutAt(server, response, 100_000, 'fall silent');
      Object.assign(server, { etag: '"2"', body: Buffer.from('id\na\n') });
      return cut;
    };
    await expect(idsIn(open(server.url, COMPLETE, { silenceMs: 300 }))).rejects.toThrow(
      /changed while it was read/,
    );
    expect(server.requests[2]).toMatchObject({ 'if-range': '"1"' });
  });

  it('whose body is shorter than its Content-Length is asked for again, then fails', async () => {
    await using server = await startFileServer('places.csv', CSV);
    server.etag = null;
    server.bend = (request, response) => isWhole(request.headers) && cutAt(server, response, 1000);
    await expect(idsIn(open(server.url, COMPLETE))).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/gave up after \d+ attempts.*\[closed\]$/) as string,
    });
    expect(server.requests.filter(isWhole).length).toBeGreaterThan(1);
  });

  it('that ends with its connection proves nothing, unless it ends by itself', async () => {
    await using server = await startFileServer('places.csv', 'id\na\n');
    server.bend = (request, response) => {
      if (!isWhole(request.headers)) return false;
      // Without a length and without chunks.
      response.useChunkedEncodingByDefault = false;
      response.removeHeader('transfer-encoding');
      response.writeHead(200, { connection: 'close' }).end(server.body);
      return true;
    };
    const source = open(server.url, COMPLETE);
    await idsIn(source);
    expect((await source.evidence()).words).toMatch(/ended with its connection, so it may be cut/);
    server.body = gzipSync('id\na\n');
    const packed = open(server.url, COMPLETE);
    await idsIn(packed);
    expect((await packed.evidence()).complete).toBe(true);
  });

  it.each([
    [404, {}, 'failed', /answered 404: there is no such file; correct SOURCE_PATH \[http_error\]$/],
    [401, {}, 'sourceUnauthorized', /answered 401: it refuses our credentials/],
    [
      302,
      { location: 'http://127.0.0.1:1/x.csv' },
      'failed',
      /redirects to http:\/\/127\.0\.0\.1:1; set SOURCE_PATH/,
    ],
    [503, {}, 'failed', /answered 503; gave up after/],
  ])('that is answered with %s fails', async (status, headers, code, words) => {
    await using server = await startFileServer('places.csv', CSV);
    server.bend = (_, response) => {
      response.writeHead(status, headers).end('no');
      return true;
    };
    await expect(open(server.url).survey(null)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words) as string,
    });
  });

  it('of a server that is away for a moment is waited for', async () => {
    await using server = await startFileServer('places.csv', CSV);
    server.bend = (_, response, count) => {
      if (count % 2 === 0) return false;
      response.writeHead(503).end();
      return true;
    };
    expect(await idsIn(open(server.url, COMPLETE, { patienceMs: 5_000 }))).toEqual(IDS);
  });

  it('is fetched with the user and password of its address, which are shown nowhere', async () => {
    await using server = await startFileServer('places.csv', 'id\na\n');
    const source = open(server.url.replace('//', '//reader:hush%40@'), { SOURCE_ID: 'x' });
    expect(source.shownAs).not.toContain('hush');
    await expect(source.survey(null)).rejects.toThrow(
      /^SOURCE_ID names the column x, which http:\/\/<FILTERED>@/,
    );
    expect(server.requests[0]?.authorization).toBe(`Basic ${Buffer.from('reader:hush@').toString('base64')}`);
  });
});
