/** Files that are cut, change or lie: none may look like a shorter listing. */
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { IncompleteListingError } from '../../../../src/job/job-error.ts';
import { collect } from '../../support/fake-source.ts';
import { folder, open, parquetOf } from './support/folder.ts';

const rows = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const CSV = `id,name,note\n${rows(40)
  .map((at) => `r${at},"a ""b""\nc ${at}",x\n`)
  .join('')}`;
const JSON_ARRAY = JSON.stringify(
  rows(12).map((at) => ({ id: `r${at}`, tags: [[], [at, '],']], more: { a: [] } })),
);
const NDJSON = rows(40)
  .map((at) => `${JSON.stringify({ id: `r${at}`, tags: [at] })}\n`)
  .join('');

/** What a read says: the records, set aside ones, and whether it counts as complete. */
async function seen(path: string, more: Record<string, string> = {}) {
  const source = open(path, more);
  try {
    const batches = await collect(source.changedSince(null, null, 1000));
    const rejected = batches.flatMap((batch) => batch.rejected).length;
    const { complete } = await source.evidence();
    return { count: batches.flatMap(({ records }) => records).length, rejected, complete };
  } catch (error) {
    return { error: error as Error };
  }
}

describe('a file that is cut', () => {
  it.each([
    ['csv', CSV],
    ['json', JSON_ARRAY],
    ['ndjson', NDJSON],
  ])('at any byte of %s fails, has a bad record, or is not complete', async (end, text) => {
    const drop = folder();
    const whole = await seen(drop.put(`a.${end}`, text));
    expect(whole.error).toBeUndefined();
    const bytes = Buffer.from(text);
    // All ends near the last record, and a sample before.
    const cuts = rows(bytes.length).filter((at) => at > bytes.length - 35 || at % 43 === 0);
    for (const at of cuts) {
      const cut = await seen(drop.put(`a.${end}`, bytes.subarray(0, at)));
      if (cut.error) continue;
      expect([at, cut.complete, (cut.count ?? 0) <= (whole.count ?? 0)]).toEqual([at, false, true]);
    }
  });

  it.each([
    ['csv.gz', gzipSync(CSV)],
    ['csv.zst', zstdCompressSync(CSV)],
    ['ndjson.gz', gzipSync(NDJSON)],
    ['ndjson.zst', zstdCompressSync(NDJSON)],
    ['json.gz', gzipSync(JSON_ARRAY)],
    ['json.zst', zstdCompressSync(JSON_ARRAY)],
  ])('at any byte of %s fails, whatever SOURCE_FILE_COMPLETE says', async (end, bytes) => {
    const drop = folder();
    const cuts = [4, 5, 9, ...rows(10).map((at) => Math.floor((bytes.length * (at + 1)) / 11)), -9, -5, -1];
    for (const at of cuts) {
      const cut = await seen(drop.put(`a.${end}`, bytes.subarray(0, at)), { SOURCE_FILE_COMPLETE: 'true' });
      expect([at, cut.error]).toEqual([at, expect.any(IncompleteListingError)]);
    }
    expect(await seen(drop.put(`a.${end}`, bytes))).toMatchObject({ rejected: 0, complete: true });
  });

  it('between or within zstd frames fails', async () => {
    const drop = folder();
    const frame = zstdCompressSync(NDJSON);
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
    for (const rest of [
      frame.subarray(0, 2),
      frame.subarray(0, 5),
      skippable.subarray(0, -1),
      Buffer.from('garbage'),
    ]) {
      const { error } = await seen(drop.put('a.ndjson.zst', Buffer.concat([frame, rest])));
      expect(error?.message).toMatch(/its zstd stream is (cut|corrupt)/);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])(
    'behind one of several %s streams fails within a line, and is not complete behind one',
    async (kind, pack) => {
      const parts = ['id,n\na,1\n', 'b,2', '2\n', ''].map((text) => pack(Buffer.from(text)));
      const drop = folder();
      const after = async (count: number, more: Record<string, string> = {}) =>
        await seen(drop.put('a.csv', Buffer.concat(parts.slice(0, count))), more);
      expect(await after(1)).toMatchObject({ count: 1, complete: true });
      expect((await after(2)).error?.message).toContain(
        `ends within a line; end its last line with a line break, pack it as one ${kind} stream`,
      );
      expect(await after(3)).toMatchObject({ count: 2, complete: false });
      expect(await after(4)).toMatchObject({ count: 2, complete: false });
      expect(await after(4, { SOURCE_FILE_COMPLETE: 'true' })).toMatchObject({ count: 2, complete: true });
    },
  );

  it('within Parquet fails', async () => {
    const drop = folder();
    const path = await parquetOf(drop, 'a.parquet', `SELECT 'r' || i AS id FROM range(5000) t(i)`);
    const bytes = readFileSync(path);
    for (const at of [0, 3, 4, bytes.length >> 1, bytes.length - 8, bytes.length - 1]) {
      const { error } = await seen(drop.put('a.parquet', bytes.subarray(0, at)), {
        SOURCE_FILE_COMPLETE: 'true',
      });
      expect(error?.message).toMatch(/^cannot read .*a\.parquet: /);
    }
  });

  it('whose gzip content is damaged fails by its check sum', async () => {
    const bytes = gzipSync(CSV, { level: 0 });
    bytes.write('X', bytes.length >> 1);
    const { error } = await seen(folder().put('a.csv.gz', bytes));
    expect(error?.message).toMatch(/a\.csv\.gz: its gzip stream is cut or corrupt$/);
  });
});

describe('a bad line', () => {
  it('of CSV is set aside with its line and the reason', async () => {
    const text = Buffer.from('id,name\na,1\nb\nc,3,4\nd,"5"6\ne,\xff\nf,"7\n8"\n', 'latin1');
    const path = folder().put('a.csv', text);
    const [batch] = await collect(open(path).changedSince(null, null, 100));
    expect(batch?.records.map(({ id }) => id)).toEqual(['a', 'f']);
    expect(batch?.rejected).toEqual([
      {
        id: null,
        where: `line 3 of ${path}`,
        why: expect.stringMatching(/fewer values than the header/) as string,
      },
      {
        id: null,
        where: `line 4 of ${path}`,
        why: expect.stringMatching(/more values than the header/) as string,
      },
      { id: null, where: `line 5 of ${path}`, why: expect.stringMatching(/a quote stands within/) as string },
      { id: null, where: `line 6 of ${path}`, why: expect.stringMatching(/not UTF-8/) as string },
    ]);
  });

  it('of CSV behind values of several lines is told as a row', async () => {
    const path = folder().put('a.csv', 'id,name\na,"1\n2\n3"\nb\n');
    const [batch] = await collect(open(path).changedSince(null, null, 100));
    expect(batch?.rejected.map(({ where }) => where)).toEqual([`row 3 of ${path}`]);
  });

  it('of CSV is told for itself where every line is bad', async () => {
    const path = folder().put('a.csv', 'id,name,more\na,1\nb,2\n');
    const [batch] = await collect(open(path).changedSince(null, null, 100));
    expect(batch?.rejected.map(({ why }) => why)).toEqual(
      Array(2).fill('it has fewer values than the header; complete the line'),
    );
  });

  it('of CSV is counted once, however many values it has too many, and hides no later one', async () => {
    const bad = Array.from({ length: 900 }, (_, at) => `b${at}${',x'.repeat(8)}\n`).join('');
    const seenNow = await seen(folder().put('a.csv', `id,name\n${bad}a,1\n`));
    expect(seenNow).toEqual({ count: 1, rejected: 900, complete: false });
  });

  it('of NDJSON is set aside with its number and the reason', async () => {
    const path = folder().put(
      'a.ndjson',
      Buffer.from(
        '{"id":"b"}\n\n{"id":"c"\n[1]\n{"id":"d"} {"id":"e"}\n{"name":"x"}\n{"id":"\xff"}\n{"id":"a"}\n',
        'latin1',
      ),
    );
    const source = open(path, { SOURCE_FILE_COMPLETE: 'true' });
    const [batch] = await collect(source.changedSince(null, null, 100));
    expect(batch?.records.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(batch?.rejected.map(({ where }) => where)).toEqual(
      [2, 3, 4, 5, 6].map((at) => `record ${at} of ${path}`),
    );
    expect(await source.evidence()).toMatchObject({ complete: false });
  });

  it.each([
    ['a.csv', 'id,name\na,1\nb,"2\nc,3\n', /the quote that opens in line 3 is never closed$/],
    [
      'a.csv',
      'id,name\na, "1\nb,2\nc, 3"\n',
      /the quote behind a space in line 2 opens a value of several lines/,
    ],
    ['a.csv', 'id,name\na,1\nb,2', /a\.csv ends within a line/],
    ['a.csv', 'id,name\na,1\r\nb,2\n', /end its lines alike|CSV/],
    ['a.csv', 'id,name\ra,1\rb,2\r', /a\.csv: its lines end with CR alone/],
    ['a.json', '[{"id":"a"},', /its JSON array has no end$/],
    ['a.json', '{"id":"a"}\n', /no JSON array \[ … \]; set SOURCE_FORMAT=ndjson/],
    ['a.json', '', /it is empty; a JSON file without records holds \[\]/],
    ['a.ndjson', '[{"id":"a"}]\n', /holds a JSON array/],
    ['a.csv', '<html>Please log in</html>', /holds a web page/],
    ['a.csv', Buffer.from('id\na\n', 'utf16le'), /holds UTF-16/],
    ['a.csv', 'PK\x03\x04', /holds a zip archive/],
    ['a.csv', Buffer.from('id,gr\xfc\xdfe\na,1\n', 'latin1'), /its header is not UTF-8; convert the file$/],
    ['a.parquet', gzipSync('x'), /Parquet packs itself/],
  ])('%s %j fails: %s', async (name, content, words) => {
    const { error } = await seen(folder().put(name, content));
    expect(error?.message).toMatch(words);
  });

  it('never shows what it holds', async () => {
    const drop = folder();
    for (const [name, content] of [
      ['a.csv', 'id,name\na,hush,hush\n'],
      ['a.csv', '7,hush,2026-11-01\n8,hush,2026-11-01\n'],
      ['a.csv', '7,hush,hush\n'],
      ['a.csv', 'id,name\r\na,"hush"\nb,hush\r\n'],
      ['a.json', '[{"id":"a","name":"hush}]'],
      ['a.ndjson', '{"id":"a","name":hush}\n'],
    ] as const) {
      const source = open(drop.put(name, content));
      const told = await collect(source.changedSince(null, null, 10)).catch((error: Error) => error.message);
      expect(JSON.stringify(told)).not.toContain('hush');
    }
  });
});
