import { describe, expect, it, onTestFinished } from 'vitest';
import { createNdjsonHttpSource } from '../../src/job/sources/ndjson-http.ts';
import type { Source } from '../../src/job/sources/source.ts';
import {
  collect,
  type FakeRow,
  type FakeSource,
  lines,
  page,
  someRows,
  startFakeSource,
} from './support/fake-source.ts';

async function start(rows: FakeRow[]): Promise<{ fake: FakeSource; source: Source; stop: AbortController }> {
  const fake = await startFakeSource();
  onTestFinished(() => fake.close());
  fake.put(...rows);
  const stop = new AbortController();
  return { fake, source: createNdjsonHttpSource({ url: fake.url, stop: stop.signal }), stop };
}

async function idsIn(source: Source, batchSize = 10): Promise<string[]> {
  const ids: string[] = [];
  for await (const { records } of source.changedSince(null, null, batchSize))
    ids.push(...records.map(({ id }) => id));
  return ids;
}

const allIds = (count: number): string[] => someRows(count).map(({ id }) => id);

describe('source ndjson over HTTP', () => {
  it('reads page after page in batches of the size asked for', async () => {
    const { fake, source } = await start(someRows(95));
    fake.pageSize = 33;
    const sizes: number[] = [];
    let done = 0;
    for await (const { records, cursor } of source.changedSince(null, null, 10)) {
      sizes.push(records.length);
      expect(cursor).toEqual({ after: records.at(-1)?.id, done: (done += records.length) });
    }
    expect(sizes).toEqual([...Array<number>(9).fill(10), 5]);
  });

  it('goes on from a cursor', async () => {
    const { source } = await start(someRows(30));
    const batches = await collect(source.changedSince(null, { after: 'r00025', done: 25 }, 100));
    expect(batches.map(({ cursor }) => cursor)).toEqual([{ after: 'r00030', done: 30 }]);
  });

  it('orders by bytes, not by UTF-16', async () => {
    const ids = ['a', 'z', '\uffff', '😀'];
    const { source } = await start(ids.map((id) => ({ id, updated_at: '2025-01-01T00:00:00Z' })));
    expect(await idsIn(source)).toEqual(ids);
  });

  it('tries again after a 503, a cut connection and a page cut in mid line, and repeats no record', async () => {
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

  it('gives up a page after the third new try', async () => {
    const { fake, source } = await start(someRows(3));
    fake.bend = () => new Response('', { status: 502 });
    await expect(idsIn(source)).rejects.toThrow(/answered 502/);
    expect(fake.requests).toHaveLength(4);
  });

  it('does not try again what will not change', async () => {
    const { fake, source } = await start(someRows(3));
    fake.bend = () => new Response('', { status: 403 });
    await expect(source.survey(null)).rejects.toThrow(/answered 403/);
    expect(fake.requests).toHaveLength(1);
  });

  it.each([
    ['no JSON', 'x', /line 2 .*not JSON/],
    ['no object', '[1]', /line 2 .*not an object/],
    ['no id', '{"updated_at":"2025-01-01T00:00:00Z"}', /line 2 .*"id"/],
    ['no time', '{"id":"r00002"}', /line 2 .*"updated_at"/],
    ['a time without a zone', '{"id":"r00002","updated_at":"2025-01-01T00:00:00"}', /line 2 .*"updated_at"/],
    ['U+0000', '{"id":"r00002","updated_at":"2025-01-01T00:00:00Z","a":"\\u0000"}', /line 2 .*U\+0000/],
    ['a repeated id', '{"id":"r00001","updated_at":"2025-01-01T00:00:00Z"}', /line 2 .*byte order/],
    ['an empty line', '', /line 2 .*not JSON/],
  ])('names the line of a record with %s', async (_, line, expected) => {
    const { fake, source } = await start(someRows(3));
    fake.bend = (listing) =>
      page(listing, { body: lines(listing.rows).replace(/\n.*\n/, () => `\n${line}\n`) });
    await expect(idsIn(source)).rejects.toThrow(expected);
    expect(fake.requests).toHaveLength(1);
  });

  it('keeps a backslash before u0000, and numbers no float can hold', async () => {
    const line =
      '{"id":"a","updated_at":"2025-01-01T00:00:00Z","t":"\\\\u0000","n":[12345678901234567890,0.1234567890123456789]}';
    const { fake, source } = await start([{ id: 'a', updated_at: '2025-01-01T00:00:00Z' }]);
    fake.bend = (listing) => page(listing, { body: `${line}\n` });
    const [batch] = await collect(source.changedSince(null, null, 1));
    expect(JSON.stringify(batch?.records[0]?.record)).toBe(
      '{"t":"\\\\u0000","n":[12345678901234567890,0.1234567890123456789]}',
    );
  });

  it('lets a source grow while changes are read, but not while ids are listed', async () => {
    const { fake, source } = await start(someRows(20));
    fake.pageSize = 10;
    fake.bend = (listing) => page(listing, { total: listing.query['after'] ? 21 : 20 });
    expect(await idsIn(source)).toHaveLength(20);
    await expect(collect(source.ids())).rejects.toThrow(/incomplete listing/);
  });

  it.each(['x-total-count', 'date'])('does not go by an answer without %s', async (header) => {
    const { fake, source } = await start(someRows(2));
    fake.bend = (listing) => {
      const response = page(listing);
      response.headers.set(header, 'none');
      return response;
    };
    await expect(source.survey(null)).rejects.toThrow(new RegExp(header, 'i'));
  });

  it('sends credentials of its URL as a header, and shows neither', async () => {
    const { fake } = await start(someRows(1));
    const url = fake.url.replace('//', '//me:s3cret%21@');
    const source = createNdjsonHttpSource({ url, stop: new AbortController().signal });
    expect(source.shownAs).not.toContain('s3cret');
    expect((await source.survey(null)).total).toBe(1);
    await fake.close();
    await expect(source.survey(null)).rejects.toThrow(/^(?!.*s3cret).*ECONNREFUSED/s);
  });

  it('ends at once, with the reason, when it is stopped', async () => {
    const { fake, source, stop } = await start(someRows(20));
    fake.bend = (listing) =>
      page(listing, { body: new ReadableStream({ pull: () => new Promise(() => {}) }) });
    const reading = idsIn(source);
    await expect.poll(() => fake.requests.length).toBe(1);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
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
