/** What counts as a whole listing of files, and what is refused before anything is loaded. */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDiskPlace } from '../../../../src/job/sources/files/disk-place.ts';
import { openDuckdb } from '../../../../src/job/sources/files/duckdb.ts';
import { readFilesSettings } from '../../../../src/job/sources/files/files-settings.ts';
import type { FoundFile } from '../../../../src/job/sources/files/place.ts';
import { makeStage } from '../../../../src/job/sources/files/stage.ts';
import { openSettings } from '../../../../src/job/settings-file.ts';
import { collect } from '../../support/fake-source.ts';
import { idsIn, recordsIn } from '../sql/support/database.ts';
import { folder, open } from './support/folder.ts';

const NDJSON = Array.from({ length: 40 }, (_, at) => `${JSON.stringify({ id: `r${at}` })}\n`).join('');

describe('evidence of completeness', () => {
  const complete = async (path: string, more: Record<string, string> = {}) => {
    const source = open(path, more);
    await recordsIn(source);
    return await source.evidence();
  };

  it('is a number beside a text file, or SOURCE_FILE_COMPLETE', async () => {
    const drop = folder();
    const path = drop.put('a.csv', 'id\na\nb\n');
    expect((await complete(path)).words).toMatch(
      /^2 records in 1 file, but nothing proves that .*a\.csv is complete; add a file .*a\.csv\.total with the number 2/,
    );
    expect((await complete(path, { SOURCE_FILE_COMPLETE: 'true' })).complete).toBe(true);
    drop.put('a.csv.total', '2\n');
    expect((await complete(path)).complete).toBe(true);
    drop.put('a.csv.total', '3\n');
    await expect(complete(path)).rejects.toThrow('2 records read, but');
  });

  it('needs SOURCE_FILE_COMPLETE for a pattern, since no file tells of a missing one', async () => {
    const drop = folder();
    drop.put('a.json', '[{"id":"a"}]');
    drop.put('b.json', '[{"id":"b"}]');
    expect((await complete(`${drop.path}/a.json`)).complete).toBe(true);
    expect((await complete(`${drop.path}/*.json`)).words).toMatch(
      /nothing proves that the pattern matches all files/,
    );
    expect(await complete(`${drop.path}/*.json`, { SOURCE_FILE_COMPLETE: 'true' })).toEqual({
      complete: true,
      words: '2 records in 2 files, each whole (SOURCE_FILE_COMPLETE=true)',
    });
  });

  it('needs a file that was not written a moment ago, or stays as it is', async () => {
    const drop = folder();
    const path = drop.put('a.json', '[{"id":"a"}]', 0);
    const waits: (string | null)[] = [];
    const change = (words: string | null): void => {
      waits.push(words);
      if (words !== null) drop.put('a.json', '[{"id":"a"},{"id":"b"}]', 0);
    };
    const source = open(path, {}, { onWait: change });
    await idsIn(source);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringContaining('was written while') as string,
    });
    expect(waits).toEqual([expect.stringMatching(/was written recently: waiting 1 s/), null]);
    const calm = open(path);
    await idsIn(calm);
    expect((await calm.evidence()).complete).toBe(true);
  });

  it.each(['grows', 'is replaced', 'gets a sibling', 'loses a sibling'])(
    'fails when a file %s while it is read',
    async (how) => {
      const drop = folder();
      const path = drop.put('a.ndjson', NDJSON);
      drop.put('b.ndjson', '{"id":"b"}\n');
      const act: Record<string, () => void> = {
        grows: () => writeFileSync(path, '{"id":"z"}\n', { flag: 'a' }),
        'is replaced': () => renameSync(drop.put('next', NDJSON), path),
        'gets a sibling': () => void drop.put('c.ndjson', '{"id":"c"}\n'),
        'loses a sibling': () => rmSync(`${drop.path}/a.ndjson`),
      };
      const SOURCE_PATH = `${drop.path}/*.ndjson`;
      const place = createDiskPlace({ at: 'disk', path: SOURCE_PATH });
      const reading = makeStage({
        settings: readFilesSettings(openSettings({ SOURCE_PATH, SOURCE_ID: 'id' })),
        place: {
          ...place,
          list: async () => (await place.list()).map((file) => ({ ...file, open: opening(file) })),
        },
        stop: new AbortController().signal,
        onWait: () => {},
      });
      const opening = (file: FoundFile) => async (to: string) => {
        const opened = await file.open(to);
        act[how]?.();
        return opened;
      };
      await expect(reading).rejects.toThrow(/changed while it was read|cannot read/);
    },
  );
});

describe('wrong settings', () => {
  it.each([
    [
      'places.csv',
      { SOURCE_ID: 'code' },
      /^SOURCE_ID names the column code, which .*places\.csv does not have; it has id, name$/,
    ],
    ['places.csv', { SOURCE_UPDATED_AT: 'changed' }, /^SOURCE_UPDATED_AT names the column changed,/],
    [
      'places.csv',
      { SOURCE_ID: 'name' },
      /has a column id, which is the name of a field .*; set SOURCE_ID=id, or give it another name in the file$/,
    ],
    [
      'bare.csv',
      { SOURCE_UPDATED_AT: 'changed' },
      /^the first line of .*bare\.csv has none of the columns id, changed and looks like a record; put a header/,
    ],
    ['places.ndjson', { SOURCE_ID: 'code' }, /has a column id, which is the name/],
    [
      'other.ndjson',
      { SOURCE_ID: 'code' },
      /no record of .*other\.ndjson has a value in code, which SOURCE_ID names/,
    ],
    [
      'places.data',
      {},
      /the name of .*places\.data does not tell its format; set SOURCE_FORMAT to csv, tsv, json, ndjson or parquet$/,
    ],
    ['nothing.csv', {}, /cannot read .*nothing\.csv of SOURCE_PATH: ENOENT/],
    ['*.nothing', {}, /matches no file; correct it, or find out why nothing was delivered \[unreachable\]$/],
    [
      'twice.csv',
      {},
      /record 1 of .*twice\.csv and record 3 of .*twice\.csv have the same id "a"; name columns in SOURCE_ID/,
    ],
  ] as const)('are found before anything is loaded: %s %j', async (name, more, words) => {
    const drop = folder();
    drop.put('places.csv', 'id,name\na,1\n');
    drop.put('places.ndjson', '{"id":"a","code":"x"}\n');
    drop.put('other.ndjson', '{"name":"a"}\n');
    drop.put('bare.csv', '17,Anna,2026-11-01T00:00:00Z\n');
    drop.put('places.data', 'id\na\n');
    drop.put('twice.csv', 'id\na\nb\na\n');
    const survey = open(`${drop.path}/${name}`, more).survey(null);
    await expect(survey).rejects.toThrow(words);
  });

  it('name SOURCE_FORMAT where a name does not tell', async () => {
    const path = folder().put('places.data', 'id\na\n');
    expect(await idsIn(open(path, { SOURCE_FORMAT: 'csv' }))).toEqual(['a']);
  });

  it('are a folder that may not be read: it counts as an error, not as empty', async () => {
    const drop = folder();
    drop.put('2026/a.csv', 'id\na\n');
    drop.put('secret/b.csv', 'id\nb\n');
    chmodSync(`${drop.path}/secret`, 0o000);
    const list = open(`${drop.path}/*/*.csv`).survey(null);
    // root may read everything.
    if (process.getuid?.() === 0) expect(await list).toEqual({ total: 2 });
    else await expect(list).rejects.toThrow(/cannot read .*secret/);
    chmodSync(`${drop.path}/secret`, 0o700);
  });
});

describe('DuckDB', () => {
  it('may open the file at hand alone, and change none of its limits', async () => {
    const drop = folder();
    const [own, other] = [drop.put('own.csv', 'id\na\n'), drop.put('other.csv', 'id\nb\n')];
    const duckdb = await openDuckdb({
      files: [own],
      folder: `${drop.path}/run`,
      stop: new AbortController().signal,
    });
    const read = async (sql: string): Promise<unknown[]> => (await collect(duckdb.rows(sql))).flat();
    try {
      expect(await read(`FROM read_text('${own}')`)).toHaveLength(1);
      for (const sql of [
        `FROM read_text('${other}')`,
        `COPY (SELECT 1) TO '${drop.path}/out.csv'`,
        `ATTACH '${drop.path}/new.duckdb'`,
        `INSTALL httpfs`,
        `LOAD httpfs`,
        `SET memory_limit = '10GB'`,
        `SET enable_external_access = true`,
      ])
        await expect(read(sql)).rejects.toThrow(/disabled (by|through) configuration|has been locked|Cannot/);
    } finally {
      duckdb.close();
    }
  });

  it('ends at once when the run is stopped', async () => {
    const path = folder().put('a.csv', `id\n${Array.from({ length: 200_000 }, (_, at) => at).join('\n')}\n`);
    const stop = new AbortController();
    const survey = open(path, {}, { stop: stop.signal }).survey(null);
    stop.abort(new Error('enough'));
    await expect(survey).rejects.toThrow('enough');
  });
});
