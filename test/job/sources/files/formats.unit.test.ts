/** Source `files` over real files of every format. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { DuckDBTimestampTZValue } from '@duckdb/node-api';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SourceRecord } from '../../../../src/job/sources/source.ts';
import { byBytes, describeSource, type SourcePlace } from '../../support/every-source.ts';
import { collect } from '../../support/fake-source.ts';
import { idsIn, recordsIn } from '../sql/support/database.ts';
import { folder, open, parquetOf } from './support/folder.ts';

/** Ids whose order differs by bytes, by UTF-16 and by language. */
const IDS = ['a', 'B', 'ä', 'a b', "a'b", '😀', '\uffee', 'Z', '10', '9', 'a%|b'];

const TEXTS = {
  csv: `id,name\r\n${IDS.map((id) => `"${id}","say ""${id}"",\nplease"\r\n`).join('')}`,
  tsv: `id\tname\n${IDS.map((id) => `${id}\t"say ""${id}"",\nplease"\n`).join('')}`,
  json: JSON.stringify(IDS.map((id) => ({ id, name: `say "${id}",\nplease` }))),
  ndjson: IDS.map((id) => `${JSON.stringify({ id, name: `say "${id}",\nplease` })}\n`).join(''),
};
const PACKINGS = {
  '': (bytes: Buffer) => bytes,
  '.gz': gzipSync,
  '.zst': zstdCompressSync,
};

describeSource('a CSV file', async (): Promise<SourcePlace> => {
  const times = new Map<string, string>();
  const drop = folder();
  const write = (): string => {
    const rows = [...times].map(([id, time]) => `"${id}",${time}\r\n`);
    return drop.put('places.csv', `id,changed\r\n${rows.join('')}`);
  };
  const path = write();
  return {
    put: async (ids, changed) => {
      for (const id of ids) times.set(id, changed.toISOString());
      write();
    },
    remove: async (ids) => {
      for (const id of ids) times.delete(id);
      write();
    },
    open: (stop) => open(path, { SOURCE_UPDATED_AT: 'changed', SOURCE_FILE_COMPLETE: 'true' }, { stop }),
    [Symbol.asyncDispose]: async () => {},
  };
});

const contents = (records: readonly SourceRecord[]): unknown[] =>
  records.map(({ id, record }) => [id, record]);

describe('the records of a file', () => {
  const cases = Object.entries(TEXTS).flatMap(([format, text]) =>
    Object.entries(PACKINGS).map(([end, pack]) => [`${format}${end}`, pack(Buffer.from(text))] as const),
  );

  it.each(cases)('of %s come in byte order of their ids, with what the file holds', async (end, bytes) => {
    const source = open(folder().put(`places.${end}`, bytes), { SOURCE_FILE_COMPLETE: 'true' });
    const own = byBytes(IDS).map((id) => [id, { name: `say "${id}",\nplease` }]);
    expect(await source.survey(null)).toEqual({ total: IDS.length });
    expect(contents(await recordsIn(source))).toEqual(own);
    expect((await source.evidence()).complete).toBe(true);
    expect(await idsIn(source)).toEqual(byBytes(IDS));
    expect([...(await source.stillThere(['ä', 'x']))]).toEqual(['ä']);
  });

  it('of Parquet come with numbers, times and lists in the forms of SOURCE=sql', async () => {
    const drop = folder();
    const path = await parquetOf(
      drop,
      'all.parquet',
      `SELECT 7::BIGINT AS id, 1.10::DECIMAL(10,2) AS price, 18446744073709551615::UBIGINT AS large, 'nan'::DOUBLE AS nan,
        0.1::FLOAT AS short, 1e300::DOUBLE AS big, true AS flag, '"x" ä' AS text, '\\x00\\xff'::BLOB AS bytes, NULL::INT AS nothing,
        DATE '2026-07-01' AS day, TIME '12:00:00.5' AS noon, TIMESTAMP '2026-07-01 12:00:00.123456' AS local,
        TIMESTAMPTZ '2026-07-01 12:00:00+02' AS moment, [1.50::DECIMAL(5,2), NULL] AS list,
        {'a': 1, 'b': [{'c': TIMESTAMP '2026-07-01 12:00:00'}]} AS nested, MAP{'k': 1} AS map`,
    );
    const source = open(path, { SOURCE_UPDATED_AT: 'moment' });
    const [record] = await recordsIn(source);
    expect(record).toMatchObject({ id: '7', updated_at: '2026-07-01T10:00:00Z' });
    expect(JSON.stringify(record?.record)).toBe(
      String.raw`{"price":1.10,"large":18446744073709551615,"nan":"NaN","short":0.1,"big":1e+300,"flag":true,"text":"\"x\" ä",` +
        String.raw`"bytes":"\\x00ff","nothing":null,"day":"2026-07-01","noon":"12:00:00.5","local":"2026-07-01T12:00:00.123456",` +
        String.raw`"moment":"2026-07-01T10:00:00+00:00","list":[1.50,null],"nested":{"a":1,"b":[{"c":"2026-07-01T12:00:00"}]},"map":{"k":1}}`,
    );
    expect((await source.evidence()).complete).toBe(true);
  });

  it('of Parquet depend neither on the time zone of the machine nor on the name of its temporary folder', async () => {
    const drop = folder();
    drop.put('day=5/x', '');
    const path = await parquetOf(
      drop,
      'a.parquet',
      `SELECT 'a' AS id, [TIMESTAMPTZ '2026-07-01 12:00:00+02'] AS at`,
    );
    DuckDBTimestampTZValue.timezoneOffsetInMinutes = 330;
    vi.stubEnv('TMPDIR', `${drop.path}/day=5`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(contents(await recordsIn(open(path)))).toEqual([['a', { at: ['2026-07-01T10:00:00+00:00'] }]]);
  });

  it('of Parquet have no field with a name that DuckDB made up', async () => {
    const drop = folder();
    const written = await parquetOf(drop, 'a.parquet', `SELECT 'a' AS id, 1 AS "Name", 2 AS "nam~"`);
    // DuckDB itself would write another name, too.
    const text = readFileSync(written, 'latin1').replaceAll('nam~', 'name');
    const path = drop.put('a.parquet', Buffer.from(text, 'latin1'));
    await expect(open(path).survey(null)).rejects.toThrow(
      /a\.parquet has two columns whose names differ at most by case, of which DuckDB names one name_1; give one/,
    );
  });

  it('of CSV are texts, an empty value null, and an empty one in quotes an empty text', async () => {
    const drop = folder();
    const rows = await recordsIn(
      open(drop.put('a.csv', '\ufeffid;zip;"no te";x\n1;01067;;""\n2;NULL;007;"a;b"\n')),
    );
    expect(contents(rows)).toEqual([
      ['1', { zip: '01067', 'no te': null, x: '' }],
      ['2', { zip: 'NULL', 'no te': '007', x: 'a;b' }],
    ]);
    const one = await idsIn(open(drop.put('b.csv', 'id\na\n\nb\n\n')));
    expect(one).toEqual(['a', 'b']);
  });

  it('of JSON keep numbers with all their digits, and texts that look like times', async () => {
    const text = '{"id":12345678901234567890123,"n":1.10,"t":"2026-07-01","u":"2026-07-01T10:00:00Z"}';
    for (const [name, content] of [
      ['a.ndjson', `${text}\n`],
      ['a.json', `[\n ${text} ]`],
    ] as const) {
      const [record] = await recordsIn(open(folder().put(name, content)));
      expect(record?.id).toBe('12345678901234567890123');
      expect(JSON.stringify(record?.record)).toBe('{"n":1.10,"t":"2026-07-01","u":"2026-07-01T10:00:00Z"}');
    }
  });

  it('have an id of several columns, as those of SOURCE=sql have', async () => {
    const drop = folder();
    const settings = { SOURCE_ID: 'country, code' };
    const csv = drop.put('a.csv', 'country,code\nde,a|b\nde|a,b\nde,a%7Cb\n');
    const json = drop.put('a.json', '[{"country":"de","code":1},{"country":"de","code":true}]');
    expect(await idsIn(open(csv, settings))).toEqual(['de%7Ca|b', 'de|a%257Cb', 'de|a%7Cb']);
    expect(await idsIn(open(json, settings))).toEqual(['de|1', 'de|true']);
  });

  it.each([
    ['2026-07-01T12:00:00.123+02:00', '2026-07-01T10:00:00.123Z'],
    ['2026-07-01 12:00:00', '2026-07-01T12:00:00Z'],
    ['2026-07-01 12:00+0200', '2026-07-01T10:00:00Z'],
    ['2026-07-01', '2026-07-01T00:00:00Z'],
  ])('can have the time %s, in UTC', async (text, time) => {
    const path = folder().put('a.csv', `id,changed\na,${text}\nb,soon\n`);
    const source = open(path, { SOURCE_UPDATED_AT: 'changed' });
    expect(source).toMatchObject({ lists: 'everything', stamps: false });
    const [batch] = await collect(source.changedSince(null, null, 10));
    expect(batch?.records).toMatchObject([{ id: 'a', updated_at: time, record: { changed: text } }]);
    expect(batch?.rejected).toMatchObject([{ id: 'b', where: 'record 2 of ' + path }]);
  });

  it('without SOURCE_UPDATED_AT have the time of the run', async () => {
    const before = Date.now();
    const source = open(folder().put('a.tsv', 'id\na\nb\n'));
    expect(source).toMatchObject({ lists: 'everything', stamps: true });
    const [a, b] = await recordsIn(source);
    expect(a?.updated_at).toBe(b?.updated_at);
    expect(Date.parse(a?.updated_at ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('are all read from several gzip members, zstd frames and skippable frames', async () => {
    const drop = folder();
    const parts = ['{"id":"a"}\n', '{"id":"b"}\n', '{"id":"c"}\n'].map((text) => Buffer.from(text));
    const withSum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
    const frames = [skippable, ...parts.map((part) => zstdCompressSync(part, withSum)), skippable];
    for (const packed of [Buffer.concat(parts.map((part) => gzipSync(part))), Buffer.concat(frames)])
      expect(await idsIn(open(drop.put('a.ndjson', packed)))).toEqual(['a', 'b', 'c']);
  });

  it('are those of each file that a pattern matches, and of no other', async () => {
    const drop = folder();
    drop.put('2026/a.csv', 'id,x\na,1\n');
    drop.put('2026/b.csv', 'x,id\n2,b\n');
    drop.put('2026/deep/c.csv', 'id\nc\n');
    drop.put('2026/.hidden.csv', 'id\nhidden\n');
    drop.put('2026/notes.txt', 'id\nnotes\n');
    drop.put('new/x(1).tsv', 'id\ncopy\n');
    drop.put('new/1.tsv', 'id\none\n');
    const ids = async (pattern: string): Promise<string[]> => await idsIn(open(`${drop.path}/${pattern}`));
    expect(await ids('2026/*.csv')).toEqual(['a', 'b']);
    expect(await ids('20??/[ab].csv')).toEqual(['a', 'b']);
    expect(await ids('*/{b,x}.csv')).toEqual(['b']);
    expect(await ids('**/*.csv')).toEqual(['a', 'b', 'c']);
    expect(await ids('**/c.csv')).toEqual(['c']);
    expect(await ids('new/*(1).tsv')).toEqual(['copy']);
  });

  it('are read from a file whose name has the signs of a pattern and of SQL', async () => {
    const drop = folder();
    const path = drop.put(`o'b[1]*.csv`, 'id\nright\n');
    drop.put(`o'b1x.csv`, 'id\nwrong\n');
    expect(await idsIn(open(path))).toEqual(['right']);
  });

  it('are listed on from a cursor', async () => {
    const ids = Array.from({ length: 1_200 }, (_, at) => `p${String(at).padStart(5, '0')}`);
    const path = folder().put('a.csv', `id\n${ids.toReversed().join('\n')}\n`);
    const [first] = await collect(open(path).changedSince(null, null, 500));
    expect(first?.cursor).toEqual({ after: 'p00499', done: 500 });
    const rest = await collect(open(path).changedSince(null, first?.cursor ?? null, 500));
    expect(rest.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(ids.slice(500));
    expect(rest.at(-1)?.cursor).toEqual({ after: 'p01199', done: 1_200 });
    const moved = collect(open(path).changedSince(null, { after: 'p00499', done: 499 }, 500));
    await expect(moved).rejects.toMatchObject({ code: 'incompleteListing' });
  });

  it('leave nothing behind where the temporary files cannot be written', async () => {
    const drop = folder();
    const path = drop.put('a.csv', 'id\na\n');
    // Longer than SQLite allows.
    const deep = join(drop.path, ...Array.from({ length: 3 }, () => 'd'.repeat(200)));
    mkdirSync(deep, { recursive: true });
    vi.stubEnv('TMPDIR', deep);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(open(path).survey(null)).rejects.toThrow(
      /the temporary files of the run cannot be written .*TMPDIR/,
    );
    expect(readdirSync(deep)).toEqual([]);
  });

  it('leave nothing behind in the temporary folder, also after an error', async () => {
    const mine = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith(`syncrator-run-${process.pid}-`));
    const source = open(folder().put('a.csv', 'id\na\n'));
    await idsIn(source);
    expect(mine()).toHaveLength(1);
    const sorting = new DatabaseSync(':memory:').prepare('PRAGMA temp_store_directory').get();
    expect(sorting).toEqual({ temp_store_directory: tmpdir() });
    await source.close?.();
    await expect(idsIn(open(folder().put('b.csv', 'id\n"a\n')))).rejects.toThrow();
    expect(mine()).toEqual([]);
  });
});
