/**
 * The user's constraints: a record that the table refuses is set aside, referenced rows stay, and altered rows are
 * detected.
 */

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf, setup } from '../../support/setup.ts';

const at = '2026-01-01T00:00:00Z';

describe('a record that the table refuses', () => {
  it('ends the run with its id and the constraint, unchanged; MAX_REJECTED sets the record aside', async () => {
    await using t = await setup(someRows(300));
    await t.run('sync --api_job_id 1');
    await t.query(`ALTER TABLE cities ADD CONSTRAINT short CHECK (length(record->>'name') < 20)`);
    const before = await t.md5();
    const long = 'a secret name of more than twenty letters';
    t.source.put({ id: 'r00007', updated_at: at, name: long }, { id: 'new', updated_at: at, name: long });
    t.source.put({ id: 'r00008', updated_at: at, name: 'fine' });
    const refused = await t.run('sync --api_job_id 2');
    expect(refused.code).toBe(EXIT.recordsRejected);
    expect(await t.md5()).toBe(before);
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      { id: 'r00007', why: expect.stringContaining('constraint short') as string },
      { id: 'new', why: expect.stringContaining('constraint short') as string },
    ]);
    expect(refused.output, 'no data of the record in the log').not.toContain('secret');
    expect((await t.run('sync --api_job_id 3', { MAX_REJECTED: '1' })).code).toBe(EXIT.recordsRejected);
    expect(await t.md5()).toBe(before);

    expect((await t.run('sync --api_job_id 4', { MAX_REJECTED: '5' })).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 1, failed: 2 });
    expect(await t.names()).toEqual({ ...namesOf(someRows(300)), r00008: 'fine' });
    await t.query('ALTER TABLE cities DROP CONSTRAINT short');
    expect((await t.run('delta --api_job_id 5')).code, 'a delta offers them again').toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('is found in the first load too', async () => {
    await using t = await setup(someRows(300));
    await t.query(
      `CREATE TABLE cities (id text PRIMARY KEY CHECK (id <> 'r00123'), updated_at timestamptz, record jsonb)`,
    );
    expect((await t.run('sync')).code).toBe(EXIT.recordsRejected);
    expect(await t.names()).toEqual({});
    expect((await t.run('sync', { MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      { id: 'r00123', why: expect.stringContaining('cities_id_check') as string },
    ]);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(299);
  });

  it('is not reported when two records swap a unique value', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync --api_job_id 1');
    await t.query(`CREATE UNIQUE INDEX one_name ON cities ((record->>'name'))`);
    t.source.put(
      { id: 'r00001', updated_at: at, name: 'row 2' },
      { id: 'r00002', updated_at: at, name: 'row 1' },
    );
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    t.source.put({ id: 'r00003', updated_at: at, name: 'row 1' });
    expect((await t.run('sync --api_job_id 3')).code).toBe(EXIT.recordsRejected);
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      { id: 'r00003', why: expect.stringContaining('one_name') as string },
    ]);
  });

  it('is found if only a deferred constraint refuses it', async () => {
    await using t = await setup(someRows(10));
    await t.query('CREATE TABLE countries (code text PRIMARY KEY)');
    await t.query(`CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz, record jsonb,
      country text GENERATED ALWAYS AS (record->>'country') STORED REFERENCES countries DEFERRABLE INITIALLY DEFERRED)`);
    t.source.put({ id: 'r00004', updated_at: at, name: 'nowhere', country: 'XX' });
    expect((await t.run('sync')).code).toBe(EXIT.recordsRejected);
    expect(await t.names()).toEqual({});
    expect(t.receiver.reports.at(-1)?.failed_items).toEqual([
      { id: 'r00004', why: expect.stringContaining('refers to a row') as string },
    ]);
    expect((await t.run('sync', { MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(9);
  });
});

describe('a record to which rows of other tables refer', () => {
  it.each([
    ['', {}, 1],
    ['ON DELETE RESTRICT', {}, 1],
    ['ON DELETE CASCADE', {}, 1],
    ['ON DELETE SET NULL', {}, 1],
    ['ON DELETE CASCADE', { SINK_CASCADE: 'allow' }, 0],
  ])('with %s %j stays: %i', async (clause, environment, kept) => {
    await using t = await setup(someRows(50));
    await t.run('sync --api_job_id 1');
    await t.query(`CREATE TABLE visits (city text REFERENCES cities ${clause})`);
    await t.query(`INSERT INTO visits VALUES ('r00001')`);
    t.source.rows.delete('r00001');
    t.source.rows.delete('r00002');
    expect((await t.run('sync --api_job_id 2', environment)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 2 - kept, kept });
    if (kept > 0)
      expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(
        expect.stringContaining('rows of other tables refer to them'),
      );
    expect(await t.query('SELECT city FROM visits')).toEqual(kept > 0 ? [{ city: 'r00001' }] : []);
    expect((await t.run('delete --api_job_id 3', environment)).code).toBe(EXIT.ok);
    await t.query('DELETE FROM visits');
    expect((await t.run('delete --api_job_id 4', environment)).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});

describe('a table that alters written rows', () => {
  it.each([
    ['rewrites a time', 'new.updated_at := now(); RETURN new;'],
    ['rewrites a record', `new.record := new.record || '{"by": "trigger"}'; RETURN new;`],
    ['swallows a row', `IF new.id = 'new' THEN RETURN NULL; END IF; RETURN new;`],
  ])('by a trigger that %s stays unchanged, and the error names the trigger', async (_, body) => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    const before = await t.md5();
    await t.query(`CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${body} END$$`);
    await t.query(
      'CREATE TRIGGER meddler BEFORE INSERT OR UPDATE ON cities FOR EACH ROW EXECUTE FUNCTION meddle()',
    );
    t.source.put({ id: 'new', updated_at: at, name: 'new' });
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.sinkAlters);
    expect(t.receiver.reports.at(-1)?.message).toMatch(/"new".*meddler/);
    expect(await t.md5()).toBe(before);
  });

  it('is detected in the first load too', async () => {
    await using t = await setup(someRows(20));
    await t.query('CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz, record jsonb)');
    await t.query(
      `CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN new.updated_at := now(); RETURN new; END$$`,
    );
    await t.query('CREATE TRIGGER meddler BEFORE INSERT ON cities FOR EACH ROW EXECUTE FUNCTION meddle()');
    expect((await t.run('sync')).code).toBe(EXIT.sinkAlters);
    expect(await t.names()).toEqual({});
  });
});
