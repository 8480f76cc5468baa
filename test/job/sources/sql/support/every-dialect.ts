/** The behaviour of source `sql` that is the same over every dialect. */
import { describe, expect, it } from 'vitest';
import { collect } from '../../../support/fake-source.ts';
import { describeFaults } from './every-fault.ts';
import {
  byBytes,
  idsIn,
  makePlaces,
  open,
  PLACES,
  putPlaces,
  recordsIn,
  someIds,
  type SqlDatabase,
} from './database.ts';

/** Ids that a collation, an escape or a surrogate pair could put elsewhere. */
const ODD_IDS = [
  'B',
  'a',
  'A',
  'ä',
  'z',
  '10',
  '9',
  "o'brien",
  '%',
  'a|b',
  'a b',
  '-',
  '\uE000',
  '😀',
  'ﬀ',
  'ß',
];

export function describeSqlSource(dialect: string, create: () => Promise<SqlDatabase>): void {
  describe(`a listing from ${dialect}`, () => describeListing(create));
  describe(`the wrong settings of a source in ${dialect}`, () => describeFaults(create));
}

function describeListing(create: () => Promise<SqlDatabase>): void {
  it('gives every row as a record, in byte order of the ids, with evidence', async () => {
    await using db = await create();
    await makePlaces(db, ODD_IDS);
    const source = open(db);
    expect(source).toMatchObject({ lists: 'changes', stamps: false });
    expect(await source.survey(null)).toEqual({ total: ODD_IDS.length });
    expect((await source.evidence()).complete).toBe(false);
    const records = await recordsIn(source);
    expect(records.map(({ id }) => id)).toEqual(byBytes(ODD_IDS));
    const [first] = records;
    expect(first).toMatchObject({ record: { name: 'first', deleted_at: null } });
    expect(Date.parse(first?.updated_at ?? '')).toBe(Date.parse('2026-11-01T09:30:00Z'));
    const words = `${ODD_IDS.length} rows read, as many as the same snapshot counts`;
    expect(await source.evidence()).toEqual({ complete: true, words });
    expect(await idsIn(source)).toEqual(byBytes(ODD_IDS));
    expect((await source.evidence()).complete).toBe(true);
  });

  it('resumes at any cursor', async () => {
    await using db = await create();
    await makePlaces(db, ODD_IDS);
    const ids = byBytes(ODD_IDS);
    for (const [at, after] of ids.entries()) {
      const source = open(db);
      const batches = await collect(source.changedSince(null, { after, done: at + 1 }, 3));
      expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(ids.slice(at + 1));
      if (at + 1 < ids.length)
        expect(batches.at(-1)?.cursor).toEqual({ after: ids.at(-1), done: ids.length });
      expect((await source.evidence()).complete).toBe(true);
    }
  });

  it('does not see what is written after the survey', async () => {
    await using db = await create();
    const ids = someIds(1_000);
    await makePlaces(db, ids);
    const source = open(db);
    expect(await source.survey(null)).toEqual({ total: 1_000 });
    await db.exec(`DELETE FROM places WHERE id = 'p00001'`);
    const seen: string[] = [];
    for await (const { records } of source.changedSince(null, null, 10)) {
      seen.push(...records.map(({ id, record }) => `${id} ${String(record['name'])}`));
      if (seen.length !== 10) continue;
      await db.exec(`DELETE FROM places WHERE id > 'p00900'`);
      await db.exec(`UPDATE places SET name = 'second'`);
      await putPlaces(db, ['p00500a']);
    }
    expect(seen).toEqual(ids.map((id) => `${id} first`));
    expect((await source.evidence()).complete).toBe(true);
    expect(await source.survey(null)).toEqual({ total: 900 });
    await source.close?.();
  });

  it('of changes is filtered by the server', async () => {
    await using db = await create();
    await makePlaces(db, ['old']);
    await putPlaces(db, ['at', 'new'], '2026-11-02 00:00:00');
    const source = open(db);
    const since = new Date('2026-11-02T00:00:00Z');
    expect(await source.survey(since)).toEqual({ total: 2 });
    expect((await recordsIn(source, since)).map(({ id }) => id)).toEqual(['at', 'new']);
  });

  it('keeps columns whose names every object of JavaScript has', async () => {
    await using db = await create();
    await db.exec(`CREATE TABLE races (id ${db.text} NOT NULL, constructor ${db.text})`);
    await db.exec(`INSERT INTO races VALUES ('a', 'x')`);
    const source = open(db, { SOURCE_TABLE: 'races', SOURCE_ID: 'id' });
    const [record] = await recordsIn(source);
    expect(Object.entries(record?.record ?? {})).toEqual([['constructor', 'x']]);
  });

  it('leaves out rows with a value in SOURCE_DELETED_AT', async () => {
    await using db = await create();
    await makePlaces(db, ['a', 'b', 'c']);
    await db.exec(`UPDATE places SET deleted_at = '2026-11-03 00:00:00' WHERE id = 'b'`);
    const source = open(db, { ...PLACES, SOURCE_DELETED_AT: 'deleted_at' });
    expect(await source.survey(null)).toEqual({ total: 2 });
    expect(await recordsIn(source)).toMatchObject([{ id: 'a', record: { name: 'first' } }, { id: 'c' }]);
    expect(await idsIn(source)).toEqual(['a', 'c']);
    expect([...(await source.stillThere(['a', 'b', 'x']))]).toEqual(['a']);
  });

  it('asks for ids again in a new snapshot', async () => {
    await using db = await create();
    await makePlaces(db, ODD_IDS);
    const source = open(db);
    await idsIn(source);
    await db.exec(`DELETE FROM places WHERE id = 'B'`);
    expect(byBytes([...(await source.stillThere(byBytes([...ODD_IDS, 'none'])))])).toEqual(
      byBytes(ODD_IDS.filter((id) => id !== 'B')),
    );
    expect([...(await source.stillThere([]))]).toEqual([]);
  });

  it('joins the columns of a composite id, so that no two rows get the same', async () => {
    await using db = await create();
    await db.exec(
      `CREATE TABLE towns (country ${db.text} NOT NULL, code ${db.text} NOT NULL, changed ${db.timestamp})`,
    );
    await db.exec(
      `INSERT INTO towns VALUES ('de', 'a|b', '2026-11-01 00:00:00'), ('de|a', 'b', '2026-11-01 00:00:00'), ('de', 'a%7Cb', '2026-11-01 00:00:00')`,
    );
    const source = open(db, {
      SOURCE_TABLE: 'towns',
      SOURCE_ID: 'country, code',
      SOURCE_UPDATED_AT: 'changed',
    });
    const records = await recordsIn(source);
    expect(records.map(({ id, record }) => [id, record['country'], record['code']])).toEqual([
      ['de%7Ca|b', 'de|a', 'b'],
      ['de|a%257Cb', 'de', 'a%7Cb'],
      ['de|a%7Cb', 'de', 'a|b'],
    ]);
    expect([...(await source.stillThere(['de|a%7Cb', 'de|a|b']))]).toEqual(['de|a%7Cb']);
  });

  it('reads a SELECT, also one that ends with a comment or a semicolon', async () => {
    await using db = await create();
    await makePlaces(db, ['a', 'b']);
    for (const end of ['', ' ;', ' -- by day']) {
      const query = `SELECT id, upper(name) AS title, updated_at FROM places WHERE id <> 'a'${end}`;
      const source = open(db, { SOURCE_QUERY: query, SOURCE_ID: 'id', SOURCE_UPDATED_AT: 'updated_at' });
      expect(await recordsIn(source)).toMatchObject([{ id: 'b', record: { title: 'FIRST' } }]);
    }
  });

  it('without SOURCE_UPDATED_AT gives all records the time of the run', async () => {
    await using db = await create();
    await db.exec(`CREATE TABLE plain (id ${db.text} NOT NULL, name ${db.text})`);
    await db.exec(`INSERT INTO plain VALUES ('a', 'x'), ('b', 'y')`);
    const before = Date.now();
    const source = open(db, { SOURCE_TABLE: 'plain', SOURCE_ID: 'id' });
    expect(source).toMatchObject({ lists: 'everything', stamps: true });
    const [a, b] = await recordsIn(source);
    expect(a?.updated_at).toBe(b?.updated_at);
    expect(Date.parse(a?.updated_at ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('sets a row without a time aside and names it', async () => {
    await using db = await create();
    await makePlaces(db, ['a', 'b']);
    await db.exec(`UPDATE places SET updated_at = NULL WHERE id = 'b'`);
    const [batch] = await collect(open(db).changedSince(null, null, 10));
    expect(batch).toMatchObject({
      records: [{ id: 'a' }],
      rejected: [{ id: 'b', where: 'the row "b" of places' }],
      cursor: { after: 'b', done: 2 },
    });
  });

  it('is not complete if a row has an empty id', async () => {
    await using db = await create();
    await makePlaces(db, ['a', '', 'b']);
    const source = open(db);
    expect(await idsIn(source)).toEqual(['a', 'b']);
    expect(await source.evidence()).toEqual({
      complete: false,
      words: 'the id of the row "" of places cannot be read',
    });
  });

  it('ends at once when the run is stopped', async () => {
    await using db = await create();
    await makePlaces(db, someIds(500));
    const stop = new AbortController();
    const source = open(db, PLACES, { stop: stop.signal });
    const reading = async (): Promise<void> => {
      for await (const { records } of source.changedSince(null, null, 10))
        if (records.length > 0) stop.abort(new Error('enough'));
    };
    await expect(reading()).rejects.toThrow('enough');
  });
}
