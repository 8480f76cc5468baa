/** The behaviour of source `sql` that is the same over every dialect. */
import { describe, expect, it } from 'vitest';
import { byBytes, describeSource, ODD_IDS, type SourcePlace } from '../../../support/every-source.ts';
import { collect } from '../../../support/fake-source.ts';
import { describeFaults } from './every-fault.ts';
import {
  idsIn,
  makePlaces,
  open,
  PLACES,
  putPlaces,
  recordsIn,
  someIds,
  type SqlDatabase,
} from './database.ts';

export function describeSqlSource(dialect: string, create: () => Promise<SqlDatabase>): void {
  describeSource(`a table in ${dialect}`, async () => await placesOf(await create()));
  describe(`a listing from ${dialect}`, () => describeListing(create));
  describe(`the wrong settings of a source in ${dialect}`, () => describeFaults(create));
}

function describeListing(create: () => Promise<SqlDatabase>): void {
  it('gives every row as a record, and says how many the snapshot counts', async () => {
    await using db = await create();
    await makePlaces(db, ODD_IDS);
    const source = open(db);
    expect(source).toMatchObject({ lists: 'changes', stamps: false });
    expect(await source.survey(null)).toEqual({ total: ODD_IDS.length });
    const records = await recordsIn(source);
    expect(records.map(({ id }) => id)).toEqual(byBytes(ODD_IDS));
    const [first] = records;
    expect(first).toMatchObject({ record: { name: 'first', deleted_at: null } });
    expect(Date.parse(first?.updated_at ?? '')).toBe(Date.parse('2026-11-01T09:30:00Z'));
    const words = `${ODD_IDS.length} rows read, as many as the same snapshot counts`;
    expect(await source.evidence()).toEqual({ complete: true, words });
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

  it('tells a deletion by either time, once, unless another row has the record', async () => {
    await using db = await create();
    const at = (hour: number): string => `2026-11-03 0${hour}:00:00`;
    await db.exec(
      `CREATE TABLE towns (country ${db.text}, code ${db.text}, changed ${db.timestamp}, gone ${db.timestamp}, who ${db.text})`,
    );
    const rows = [
      ['de', 'by row', at(2), at(1)],
      ['de', 'by gone', at(0), at(3)],
      ['de', 'earlier', at(0), at(0)],
      ['de', 'twice', at(2), at(2)],
      ['de', 'twice', at(1), at(5)],
      ['de', 'twice', at(3), at(1)],
      ['de', 'again', at(2), at(2)],
      ['at', 'again', at(2), at(2)],
      ['de', 'now', at(2), null],
    ].map((row) => `(${row.map((text) => (text === null ? 'NULL' : `'${text}'`)).join(', ')}, 'x')`);
    const old = `('de', 'again', '${at(0)}', NULL, NULL), (NULL, 'nameless', '${at(2)}', '${at(2)}', 'x')`;
    await db.exec(`INSERT INTO towns VALUES ${rows.join(', ')}, ${old}`);
    const settings = { SOURCE_TABLE: 'towns', SOURCE_ID: 'country,code', SOURCE_UPDATED_AT: 'changed' };
    const told = async (column: string): Promise<string[]> => {
      const source = open(db, { ...settings, SOURCE_DELETED_AT: column });
      const since = new Date('2026-11-03T01:00:00Z');
      const batches = await collect(source.changedSince(since, null, 100));
      await source.close?.();
      return batches.flatMap(({ gone = [] }) =>
        gone.map(({ id, at: time }) => `${id} ${new Date(time).toISOString().slice(11, 13)}`),
      );
    };
    expect(await told('gone')).toEqual(['at|again 02', 'de|by gone 03', 'de|by row 02', 'de|twice 05']);
    // A column of another type tells no time.
    const byRow = ['at|again 02', 'de|by row 02', 'de|now 02', 'de|twice 03'];
    expect(await told('who')).toEqual(byRow);
    const query = 'SELECT country, code, changed, gone FROM towns -- all';
    const source = open(db, {
      SOURCE_QUERY: query,
      SOURCE_ID: 'country,code',
      SOURCE_UPDATED_AT: 'changed',
      SOURCE_DELETED_AT: 'gone',
    });
    const batches = await collect(source.changedSince(new Date('2026-11-03T01:00:00Z'), null, 100));
    expect(batches.flatMap(({ gone = [] }) => gone.map(({ id }) => id))).toEqual([
      'at|again',
      'de|by gone',
      'de|by row',
      'de|twice',
    ]);
    await source.close?.();
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
}

/** The table `places` as a place that every source's test can change. */
async function placesOf(db: SqlDatabase): Promise<SourcePlace> {
  await makePlaces(db, []);
  const quote = (id: string): string => `'${id.replaceAll("'", "''")}'`;
  return {
    put: async (ids, changed) =>
      await putPlaces(db, ids, changed.toISOString().slice(0, 19).replace('T', ' ')),
    remove: async (ids) => await db.exec(`DELETE FROM places WHERE id IN (${ids.map(quote).join(', ')})`),
    markDeleted: async (ids, at) => {
      const time = at.toISOString().slice(0, 19).replace('T', ' ');
      await db.exec(`UPDATE places SET deleted_at = '${time}' WHERE id IN (${ids.map(quote).join(', ')})`);
    },
    open: (stop) => open(db, { ...PLACES, SOURCE_DELETED_AT: 'deleted_at' }, { stop }),
    [Symbol.asyncDispose]: async () => await db[Symbol.asyncDispose](),
  };
}
