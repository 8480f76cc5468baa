/** Former faults with a source over HTTP, each reproduced with the whole program. */

import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { type FakeRow, lines, page, someRows, startFakeSource } from '../support/fake-source.ts';
import { namesOf, type Setup, setup } from '../support/setup.ts';

const record = (id: string, at: string, name: string): string =>
  `{"id":"${id}","updated_at":"${at}","name":${name}}\n`;
const last = (t: Setup) => t.receiver.reports.at(-1);
const count = async (t: Setup): Promise<number> => Object.keys((await t.names()) ?? {}).length;

describe('a source over HTTP', () => {
  it.each(['sync', 'delete'])(
    'that redirects to another origin makes %s fail without any change (A14)',
    async (action) => {
      await using t = await setup(someRows(100));
      await t.run('sync');
      const before = await t.md5();
      const elsewhere = await startFakeSource();
      onTestFinished(() => elsewhere.close());
      elsewhere.put(...someRows(95));
      t.source.bend = () => new Response(null, { status: 302, headers: { location: elsewhere.url } });
      expect((await t.run(action)).code).toBe(EXIT.failed);
      expect(last(t)?.message).toContain('set SOURCE_URL to the new address');
      expect(elsewhere.requests).toEqual([]);
      expect(await t.md5()).toBe(before);
    },
  );

  it.each(['sync', 'delete'])(
    'without an end makes %s stop soon after its total and drop the load (A16)',
    async (action) => {
      await using t = await setup(someRows(100));
      await t.run('sync');
      const before = await t.md5();
      let from = 0;
      t.source.bend = (listing) => {
        const rows = someRows(from + 50).slice(from);
        from += 50;
        return page({ ...listing, rows, total: 100, more: true });
      };
      expect((await t.run(action)).code).toBe(EXIT.incompleteListing);
      expect(last(t)?.message).toMatch(/150 records read and more follow, but X-Total-Count 100/);
      expect(await t.md5()).toBe(before);
      expect(await t.loaded()).toBeNull();
    },
  );

  it.each([
    [401, EXIT.sourceUnauthorized],
    [403, EXIT.sourceUnauthorized],
    [404, EXIT.failed],
    [503, EXIT.failed],
  ])(
    'that answers %i ends with its own exit code and is retried only where that may help (A22)',
    async (status, code) => {
      await using t = await setup(someRows(3));
      t.source.bend = () => new Response('{}', { status });
      expect((await t.run('sync')).code).toBe(code);
      expect(t.source.requests.length > 1).toBe(status === 503);
      expect(last(t)?.message).toContain(`answered ${status}`);
    },
  );

  it('that pauses during the listing is waited for, and the job reports the reason (A22)', async () => {
    await using t = await setup(someRows(60));
    t.source.pageSize = 20;
    let rests = 1;
    t.source.bend = ({ query }) =>
      query['after'] !== undefined && rests-- > 0
        ? new Response('', { status: 503, headers: { 'retry-after': '2' } })
        : undefined;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(t.receiver.reports.map(({ waiting_for: words }) => words)).toContainEqual(
      expect.stringContaining('answered 503'),
    );
    expect(last(t)?.waiting_for).toBeNull();
  });

  it('with a closed port or an HTML page is named in the error (A22)', async () => {
    await using t = await setup();
    expect((await t.run('sync', { SOURCE_URL: 'http://127.0.0.1:9/records' })).code).toBe(
      EXIT.sourceUnreachable,
    );
    t.source.bend = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
    expect((await t.run('sync')).code).toBe(EXIT.failed);
    expect(last(t)?.message).toContain('a web page instead of records');
  });

  it('with empty records causes a warning, can be refused by a limit, and can be rolled back (A28)', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync');
    const before = await t.md5();
    const now = new Date().toISOString();
    t.source.put(...someRows(100).map(({ id }): FakeRow => ({ id, updated_at: now })));
    for (const action of ['sync', 'delta']) {
      expect((await t.run(action, { SYNCRATOR_MAX_UPDATE_PERCENT: '50' })).code).toBe(EXIT.updateGuard);
      expect(await t.md5()).toBe(before);
    }
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(last(t)?.warnings).toContainEqual(expect.stringContaining('100 of 100 records changed'));
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect(await t.md5()).toBe(before);
  });

  it.each<
    [
      string,
      (rows: readonly FakeRow[]) => {
        status?: number;
        body?: Uint8Array<ArrayBuffer>;
        headers?: Record<string, string>;
      },
    ]
  >([
    ['status 206', () => ({ status: 206 })],
    ['status 203', () => ({ status: 203 })],
    [
      'gzip without its end',
      (rows) => ({
        body: new Uint8Array(gzipSync(lines(rows, true)).subarray(0, -8)),
        headers: { 'content-encoding': 'gzip' },
      }),
    ],
  ])('with %s proves nothing, so no record is removed (A29)', async (_, how) => {
    await using t = await setup(someRows(100));
    await t.run('sync');
    for (const { id } of someRows(5)) t.source.rows.delete(id);
    t.source.bend = (listing) => page(listing, how(listing.rows));
    expect((await t.run('delete')).code).toBe(EXIT.failed);
    expect(last(t)?.message).toMatch(/answered 20|its gzip body is truncated/);
    expect(await count(t)).toBe(100);
  });

  it('that reports 100 and then 3 records is refused after 53 (A30)', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync');
    t.source.bend = (listing) => {
      const isLater = listing.query['after'] !== undefined;
      return page({
        ...listing,
        rows: someRows(100).slice(...(isLater ? [52, 53] : [0, 52])),
        total: isLater ? 3 : 100,
        more: !isLater,
      });
    };
    for (const action of ['sync', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.incompleteListing);
      expect(last(t)?.message).toContain('from 3 to 100');
    }
    expect(await count(t)).toBe(100);
  });

  it('that repeats two ids in alternating order is refused at the third line (A31)', async () => {
    await using t = await setup();
    const body = ['\uff5e', '\u{1F600}', '\uff5e', '\u{1F600}']
      .map((id) => record(id, '2026-11-01T00:00:00Z', '1'))
      .join('');
    t.source.bend = (listing) => page(listing, { body, total: 4 });
    expect((await t.run('sync')).code).toBe(EXIT.failed);
    expect(last(t)?.message).toContain('line 3 of the first page: ids must come in byte order');
    expect(await t.names()).toBeNull();
  });

  it('with a bad record on its first page fails with a clear reason (A35)', async () => {
    await using t = await setup(someRows(9));
    t.source.bend = (listing) =>
      page(listing, { body: lines(listing.rows).replace(/("id":"r00002","updated_at":)"[^"]*"/, '$1"x"') });
    expect((await t.run('sync')).code).toBe(EXIT.recordsRejected);
    expect(last(t)?.message).toContain('line 2 of the first page (id "r00002")');
  });
});
