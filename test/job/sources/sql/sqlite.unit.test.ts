/** Source `sql` over a real SQLite file. */
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { collect } from '../../support/fake-source.ts';
import { idsIn, jsonOf, makePlaces, open, PLACES, recordsIn, someIds } from './support/database.ts';
import { describeSqlSource } from './support/every-dialect.ts';
import { sqliteDatabase } from './support/sqlite.ts';

describeSqlSource('SQLite', sqliteDatabase);

describe('values of SQLite', () => {
  it('become JSON as they are stored', async () => {
    await using db = await sqliteDatabase();
    const values = {
      NULL: 'null',
      TRUE: '1',
      '9007199254740993': '9007199254740993',
      '0.5': '0.5',
      '9e999': '"Infinity"',
      [`'a "b" ä 😀'`]: String.raw`"a \"b\" ä 😀"`,
      [`x'00ff'`]: String.raw`"\\x00ff"`,
      [`json('{"a": 1}')`]: String.raw`"{\"a\":1}"`,
      CURRENT_DATE: JSON.stringify(new Date().toISOString().slice(0, 10)),
    };
    expect(await jsonOf(db, Object.keys(values))).toEqual(values);
  });

  it.each([
    [`'2026-07-01T12:00:00.123+02:00'`, '2026-07-01T10:00:00.123Z'],
    [`'2026-07-01 12:00:00'`, '2026-07-01T12:00:00.000Z'],
    [`'2026-07-01'`, '2026-07-01T00:00:00.000Z'],
    ['1782907200', '2026-07-01T12:00:00.000Z'],
    ['1782907200123', '2026-07-01T12:00:00.123Z'],
  ])('%s can be the time of a record, in UTC', async (expression, time) => {
    await using db = await sqliteDatabase();
    const source = open(db, {
      SOURCE_QUERY: `SELECT x'ff' AS id, ${expression} AS changed`,
      SOURCE_ID: 'id',
      SOURCE_UPDATED_AT: 'changed',
    });
    expect(await recordsIn(source)).toMatchObject([{ id: '\\xff', updated_at: time }]);
    expect(await recordsIn(source, new Date(time))).toHaveLength(1);
    expect(await recordsIn(source, new Date(Date.parse(time) + 1))).toEqual([]);
  });
});

describe('a SQLite file', () => {
  it('may hold texts that are not UTF-8: their rows are set aside, and U+FFFD itself stays', async () => {
    await using db = await sqliteDatabase();
    await makePlaces(db, [...someIds(1_200), 'q\uFFFD']);
    await db.exec(`UPDATE places SET name = CAST(X'4dfc6c6c6572' AS TEXT) WHERE id = 'p01100';
      UPDATE places SET name = CAST(X'f09f98' AS TEXT) WHERE id = 'p01150';
      UPDATE places SET id = CAST(X'70ff' AS TEXT) WHERE id = 'p01200'`);
    const source = open(db);
    const batches = await collect(source.changedSince(null, null, 100));
    const ids = batches.flatMap(({ records }) => records.map(({ id }) => id));
    const good = someIds(1_199).filter((id) => id !== 'p01100' && id !== 'p01150');
    expect(ids).toEqual([...good, 'q\uFFFD']);
    const why = 'one of its texts is not UTF-8; convert it in the database';
    expect(batches.flatMap(({ rejected }) => rejected)).toMatchObject([
      { id: 'p01100', why },
      { id: 'p01150', why },
      { id: null, why },
    ]);
    expect((await source.evidence()).complete).toBe(false);
    expect((await idsIn(source)).length).toBe(1_200);
    expect((await source.evidence()).complete).toBe(false);
  });

  it('may hold a row that is too long: it is set aside with its id', async () => {
    await using db = await sqliteDatabase();
    await makePlaces(db, ['a', 'b', 'c']);
    await db.exec(`UPDATE places SET name = printf('%*c', 17000000, 'x') WHERE id = 'b'`);
    const source = open(db);
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(['a', 'c']);
    expect(batches.flatMap(({ rejected }) => rejected)).toEqual([
      { id: 'b', where: 'the row "b" of places', why: 'it is longer than 16 MiB; select fewer columns' },
    ]);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('has no clock', async () => {
    await using db = await sqliteDatabase();
    await makePlaces(db, ['a']);
    const source = open(db);
    await recordsIn(source);
    expect(source.clock()).toEqual({ earliest: null, skewMs: 0 });
  });

  it('that is not there, or is no database, is named', async () => {
    await using db = await sqliteDatabase();
    rmSync(db.path);
    const survey = () => open(db).survey(null);
    await expect(survey()).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(
        /^source: cannot open .*source\.db \(unable to open.*\[unreachable\]$/,
      ) as string,
    });
    writeFileSync(db.path, 'hello world '.repeat(1000));
    await expect(survey()).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringMatching(/source\.db: file is not a database; correct SOURCE_URL$/) as string,
    });
  });

  it('that is a folder, or cut off, is named with what to do', async () => {
    await using db = await sqliteDatabase();
    await makePlaces(db, someIds(500));
    await db.exec('PRAGMA journal_mode = DELETE');
    truncateSync(db.path, 8192);
    await expect(recordsIn(open(db))).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/source\.db: .*malformed; it may be cut off or half copied/) as string,
    });
    rmSync(db.path);
    mkdirSync(db.path);
    await expect(recordsIn(open(db))).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/^source: cannot (read|open) .*source\.db /) as string,
    });
  });

  it('in UTF-16 is refused, since its order of bytes is another', async () => {
    await using db = await sqliteDatabase();
    rmSync(db.path);
    await db.exec(`PRAGMA encoding = 'UTF-16le'; CREATE TABLE places (id TEXT, updated_at TEXT)`);
    await expect(open(db).survey(null)).rejects.toThrow(
      /^the texts of this SQLite file are UTF-16le; read a copy/,
    );
  });

  it('that a writer has locked is waited for', async () => {
    await using db = await sqliteDatabase();
    await makePlaces(db, ['a']);
    await db.exec('PRAGMA journal_mode = DELETE');
    using writer = new DatabaseSync(db.path);
    writer.exec('BEGIN EXCLUSIVE');
    const waits: (string | null)[] = [];
    const onWait = (words: string | null): void => {
      waits.push(words);
      if (writer.isTransaction) writer.exec('COMMIT');
    };
    expect(await recordsIn(open(db, PLACES, { patienceMs: 5_000, onWait }))).toHaveLength(1);
    expect(waits).toEqual([expect.stringMatching(/database is locked; retrying in 1 s$/), null]);
  });
});
