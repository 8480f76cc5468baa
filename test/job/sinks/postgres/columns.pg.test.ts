/** Columns of SINK_COLUMNS: what readers see of them, and how a changed list changes the table. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { page } from '../../support/fake-source.ts';
import { setup, type Setup } from '../../support/setup.ts';
import { uidOf } from '../../support/attempt.ts';

const job = (nth: number): Record<string, string> => ({ SYNCRATOR_JOB_UID: uidOf(nth) });
const at = (): string => new Date().toISOString();
const LIST = 'name text, pages bigint';

async function rowsOf(t: Setup, columns: string): Promise<Record<string, unknown>> {
  const rows = await t.query<{ id: string; row: object }>(
    `SELECT id, to_jsonb(c) - 'id' AS row FROM (SELECT id, ${columns} FROM cities) c`,
  );
  return Object.fromEntries(rows.map(({ id, row }) => [id, row]));
}

const AACHEN = { id: 'a', updated_at: at(), name: 'Aachen', pages: 1 };
const BONN = { id: 'b', updated_at: at(), name: 'Bonn', pages: 2 };
const BOTH = [AACHEN, BONN];

describe.each([
  ['beside the record', {}],
  ['instead of the record', { SINK_RECORD: 'false' }],
])('columns %s', (_, record) => {
  const typed = { SINK_COLUMNS: LIST, ...record };

  it('sync, delta and rollback keep them equal to the source', async () => {
    await using t = await setup(BOTH);
    expect(await t.run('sync --api_job_id 1', { ...job(1), ...typed })).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name, pages')).toEqual({
      a: { name: 'Aachen', pages: 1 },
      b: { name: 'Bonn', pages: 2 },
    });
    t.source.put({ id: 'b', updated_at: at(), name: 'Berlin', pages: null }, { id: 'c', updated_at: at() });
    expect(await t.run('delta --api_job_id 2', { ...job(2), ...typed })).toMatchObject({ code: EXIT.ok });
    const changed = {
      a: { name: 'Aachen', pages: 1 },
      b: { name: 'Berlin', pages: null },
      c: { name: null, pages: null },
    };
    expect(await rowsOf(t, 'name, pages')).toEqual(changed);
    t.source.rows.delete('a');
    expect(await t.run('sync --api_job_id 3', { ...job(3), ...typed })).toMatchObject({ code: EXIT.ok });
    expect(Object.keys(await rowsOf(t, 'name'))).toEqual(['b', 'c']);
    const back = await t.run('rollback --api_job_id 4', { ...job(4), ...typed });
    expect(back).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name, pages')).toEqual(changed);
  });
});

const typed = { SINK_COLUMNS: LIST };

describe('columns', () => {
  it('that others have changed get the value of the record again', async () => {
    await using t = await setup(BOTH);
    await t.run('sync', typed);
    await t.query(`UPDATE cities SET name = 'by hand' WHERE id = 'a'`);
    expect(await t.run('sync', typed)).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name')).toMatchObject({ a: { name: 'Aachen' } });
    expect(t.receiver.reports.at(-1)).toMatchObject({ updated: 1 });
  });

  it.each([{}, { SINK_RECORD: 'false' }])('with a unique index swap their values (%j)', async (record) => {
    await using t = await setup(BOTH);
    await t.run('sync', { ...typed, ...record });
    await t.query('CREATE UNIQUE INDEX ON cities (name)');
    t.source.put(
      { ...AACHEN, name: 'Bonn', updated_at: at() },
      { ...BONN, name: 'Aachen', updated_at: at() },
    );
    expect(await t.run('sync', { ...typed, ...record })).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name')).toEqual({ a: { name: 'Bonn' }, b: { name: 'Aachen' } });
  });

  it('with a constraint of the owner refuse a record, which the next delta offers again', async () => {
    await using t = await setup(BOTH);
    await t.run('sync', typed);
    await t.query('ALTER TABLE cities ADD CONSTRAINT thin CHECK (pages < 100)');
    t.source.put({ ...AACHEN, pages: 500, updated_at: at() });
    const run = await t.run('sync', { ...typed, MAX_REJECTED: '1' });
    expect(run).toMatchObject({ code: EXIT.ok });
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      { id: 'a', why: expect.stringContaining('its constraint thin refuses') as string },
    ]);
    expect(await rowsOf(t, 'pages')).toMatchObject({ a: { pages: 1 } });
    await t.query('ALTER TABLE cities DROP CONSTRAINT thin');
    t.source.rows.clear();
    expect(await t.run('delta', typed)).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'pages')).toMatchObject({ a: { pages: 500 } });
  });

  it('that a trigger alters are refused', async () => {
    await using t = await setup(BOTH);
    await t.run('sync', typed);
    await t.query(
      `CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN new.name := upper(new.name); RETURN new; END$$;
       CREATE TRIGGER upper_name BEFORE UPDATE ON cities FOR EACH ROW EXECUTE FUNCTION upper_name()`,
    );
    t.source.put({ ...AACHEN, name: 'Ahaus', updated_at: at() });
    expect(await t.run('sync', typed)).toMatchObject({
      code: EXIT.sinkAlters,
      output: expect.stringContaining('leaves id, updated_at, record, name and pages alone') as string,
    });
  });

  it('keep every digit, and any name', async () => {
    await using t = await setup();
    const line = `{"id":"a","updated_at":"${at()}","Zahl":123456789012345678.10,"a 'b":0.1,"it's":9007199254740993}`;
    t.source.bend = (listing) => page(listing, { body: `${line}\n`, total: 1 });
    const list = {
      SINK_COLUMNS: `Zahl numeric, "a 'b" double precision, "it's" bigint`,
      SINK_RECORD: 'false',
    };
    expect(await t.run('sync', list)).toMatchObject({ code: EXIT.ok });
    expect(await t.query(`SELECT "Zahl", "a 'b" AS double, "it's"::text AS whole FROM cities`)).toEqual([
      { Zahl: '123456789012345678.10', double: 0.1, whole: '9007199254740993' },
    ]);
  });

  it('are checked before the sink, so that a bad record is named and its live one stays', async () => {
    await using t = await setup(BOTH);
    await t.run('sync', typed);
    t.source.put({ ...AACHEN, pages: 'precious', updated_at: at() });
    const refused = await t.run('sync', typed);
    expect(refused.code).toBe(EXIT.recordsRejected);
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      {
        id: 'a',
        why: expect.stringMatching(/^SINK_COLUMNS pages bigint: its field is not a whole number/) as string,
      },
    ]);
    expect(refused.output).not.toContain('precious');
    expect(await t.run('sync', { ...typed, MAX_REJECTED: '1' })).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'pages')).toEqual({ a: { pages: 1 }, b: { pages: 2 } });
  });

  it('may be in a partitioned table, and changed behind a deferred foreign key', async () => {
    await using t = await setup(BOTH);
    await t.query(
      `CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL) PARTITION BY HASH (id);
       CREATE TABLE cities_0 PARTITION OF cities FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE cities_1 PARTITION OF cities FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       CREATE TABLE visits (city text REFERENCES cities DEFERRABLE INITIALLY DEFERRED)`,
    );
    await t.run('sync', {});
    t.source.rows.delete('a');
    expect(await t.run('sync', typed)).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name, pages')).toEqual({ b: { name: 'Bonn', pages: 2 } });
  });
});
