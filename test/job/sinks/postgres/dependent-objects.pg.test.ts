/** The live table belongs to the user: dependent objects stay, and readers never wait for us. */

import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { JobError } from '../../../../src/job/job-error.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf, type Setup, setup } from '../../support/setup.ts';

/** Roles belong to the whole server: each test has its own. */
async function withNeighbours(t: Setup): Promise<{ role: string; drop(): Promise<void> }> {
  const role = `web_${crypto.randomUUID().slice(0, 8)}`;
  await t.query(`CREATE ROLE ${role}`);
  for (const statement of [
    `GRANT SELECT ON cities TO ${role}`,
    `CREATE INDEX cities_name ON cities ((record->>'name'))`,
    'CREATE VIEW names AS SELECT id, record FROM cities',
    `GRANT SELECT ON names TO ${role}`,
    'CREATE PUBLICATION ours FOR TABLE cities',
    `COMMENT ON TABLE cities IS 'kept in step'`,
    `COMMENT ON COLUMN cities.record IS 'as the source has it'`,
    'CREATE TABLE writes (id text, what text)',
    `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
       $$BEGIN INSERT INTO writes VALUES (coalesce(new.id, old.id), tg_op); RETURN NULL; END$$`,
    'CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON cities FOR EACH ROW EXECUTE FUNCTION note()',
    `ALTER TABLE cities ADD COLUMN name text GENERATED ALWAYS AS (record->>'name') STORED`,
    'ALTER TABLE cities ADD COLUMN seen timestamptz DEFAULT now()',
  ])
    await t.query(statement);
  const drop = async (): Promise<void> => {
    await t.query(`DROP OWNED BY ${role}`);
    await t.query(`DROP ROLE ${role}`);
  };
  return { role, drop };
}

/** Everything in the catalogue that a user may have created in the schema. */
async function catalogue(t: Setup): Promise<unknown> {
  return await t.query(`
    SELECT c.oid::text, relname::text AS name, relkind::text AS kind, relowner::text AS owner, relacl::text AS grants,
      obj_description(c.oid) AS comment, pg_get_indexdef(CASE WHEN relkind = 'i' THEN c.oid END) AS index,
      CASE WHEN relkind = 'v' THEN pg_get_viewdef(c.oid) END AS view,
      (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, col_description(c.oid, attnum),
         attgenerated, pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum)
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
      (SELECT string_agg(pg_get_triggerdef(t.oid), '; ' ORDER BY tgname) FROM pg_trigger t WHERE tgrelid = c.oid) AS triggers,
      (SELECT string_agg(pg_get_constraintdef(k.oid), '; ' ORDER BY conname) FROM pg_constraint k WHERE conrelid = c.oid) AS constraints,
      (SELECT string_agg(pubname, ', ' ORDER BY pubname) FROM pg_publication_tables p WHERE p.schemaname = 'public' AND p.tablename = relname) AS published
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace ORDER BY relname`);
}

describe('objects that depend on the live table', () => {
  it('survive sync, delta, delete, rollback and another sync (A3)', async () => {
    await using t = await setup(someRows(50));
    await t.run('sync --api_job_id 1');
    const { role, drop } = await withNeighbours(t);
    const before = await catalogue(t);
    await t.query('TRUNCATE writes');

    t.source.put({ id: 'r00002', updated_at: new Date().toISOString(), name: 'changed' });
    expect((await t.run('delta --api_job_id 2')).code).toBe(EXIT.ok);
    t.source.rows.delete('r00003');
    expect((await t.run('delete --api_job_id 3')).code).toBe(EXIT.ok);
    t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    expect((await t.run('sync --api_job_id 4')).code).toBe(EXIT.ok);
    expect((await t.run('rollback --api_job_id 5')).code).toBe(EXIT.ok);
    expect(await t.query('SELECT id, what FROM writes')).toEqual([
      { id: 'r00002', what: 'UPDATE' },
      { id: 'r00003', what: 'DELETE' },
      { id: 'new', what: 'INSERT' },
      { id: 'new', what: 'DELETE' },
    ]);
    for (let job = 6; job <= 8; job += 1)
      expect((await t.run(`sync --api_job_id ${job}`)).code).toBe(EXIT.ok);

    expect(await catalogue(t)).toEqual(before);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    const [seen] = await t.query<{ may: boolean; shown: number; generated: string }>(
      `SELECT has_table_privilege($1, 'cities', 'select') AS may, (SELECT count(*)::int FROM names) AS shown,
         (SELECT name FROM cities WHERE id = 'new') AS generated`,
      [role],
    );
    expect(seen).toEqual({ may: true, shown: 50, generated: 'new' });
    await drop();
  });

  it('stand alone in their schema: no table of ours is created there, and no other table is touched (A11)', async () => {
    await using t = await setup(someRows(100));
    for (const name of ['cities__previous', 'cities__loading', 'cities__aside', 'syncrator_sink_state'])
      await t.query(`CREATE TABLE ${name} (precious text)`);
    const strangers = await t.tables();
    for (let job = 1; job <= 2; job += 1)
      expect((await t.run(`sync --api_job_id ${job}`)).code).toBe(EXIT.ok);
    expect(await t.tables()).toEqual(['cities', ...strangers]);
  });

  it('may include partitions, with a table in another schema', async () => {
    await using t = await setup(someRows(40));
    await t.query('CREATE SCHEMA portal');
    await t.query(
      `CREATE TABLE portal.places (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL) PARTITION BY HASH (id)`,
    );
    for (const at of [0, 1])
      await t.query(
        `CREATE TABLE portal.places_${at} PARTITION OF portal.places FOR VALUES WITH (MODULUS 2, REMAINDER ${at})`,
      );
    const environment = { SINK_TABLE: 'portal.places' };
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    t.source.rows.delete('r00001');
    t.source.put({ id: 'r00002', updated_at: '2026-01-01T00:00:00Z', name: 'changed' });
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 1, deleted: 1 });
    expect(await t.names('portal.places')).toEqual(namesOf(t.source.rows.values()));
    expect(await t.names('cities')).toBeNull();
  });

  it('may include existing rows, which the first sync keeps and counts', async () => {
    await using t = await setup(someRows(20));
    await t.query('CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz, record jsonb)');
    await t.query(
      `INSERT INTO cities VALUES ('theirs', now(), '{"name": "theirs"}'), ('r00001', now(), '{"name": "old"}')`,
    );
    for (let job = 1; job <= 2; job += 1) {
      expect((await t.run(`sync --api_job_id ${job}`)).code).toBe(EXIT.ok);
      expect(t.receiver.reports.at(-1)).toMatchObject({ kept: 1, deleted: 0 });
      expect(await t.names()).toEqual({ ...namesOf(someRows(20)), theirs: 'theirs' });
    }
    expect((await t.run('sync --api_job_id 3 --force-delete')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(20)));
    expect((await t.run('rollback --before 1 --api_job_id 4')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual({ theirs: 'theirs', r00001: 'old' });
  });
});

describe('another session on the live table', () => {
  it('never waits while it reads, even with an open transaction (A9)', async () => {
    await using t = await setup(someRows(200));
    await t.run('sync --api_job_id 1');
    const forgotten = await client(t);
    await forgotten.query('BEGIN');
    await forgotten.query('SELECT * FROM cities LIMIT 1');
    const waits = watchReaders(t);
    t.source.put(...someRows(150).map((row) => ({ ...row, name: 'changed' })));
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.ok);
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'again' });
    expect((await t.run('delta --api_job_id 3')).code).toBe(EXIT.ok);
    expect((await t.run('rollback --before 2 --api_job_id 4')).code).toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 5')).code).toBe(EXIT.ok);
    expect(await waits.end()).toEqual([]);
    expect((await forgotten.query('SELECT count(*)::int AS n FROM cities')).rows).toEqual([{ n: 200 }]);
    await forgotten.query('ROLLBACK');
    await forgotten.end();
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('is named if it blocks the run with a write, and the run waits within bounds', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    const writer = await client(t, 'nightly report');
    await writer.query('BEGIN');
    await writer.query(`UPDATE cities SET updated_at = now() WHERE id = 'r00001'`);
    t.source.put({ id: 'r00001', updated_at: '2026-01-01T00:00:00Z', name: 'changed' });
    const run = t.run('sync --api_job_id 2');
    const said = (): string => t.receiver.reports.map(({ waiting_for: words }) => words ?? '').join(' ');
    await expect.poll(said, { timeout: 15_000 }).toMatch(/session \d+ \(nightly report, .*\) locks rows/);
    await writer.query('ROLLBACK');
    await writer.end();
    expect((await run).code).toBe(EXIT.ok);
    expect((await t.names())?.['r00001']).toBe('changed');
    expect(t.receiver.reports.at(-1)).toMatchObject({ waiting_for: null });
  });
});

describe('a terminated program', () => {
  // Less than the lock's own time-out, which would end the wait, too.
  it('cancels the running statement and changes nothing', { timeout: 25_000 }, async () => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    const before = await t.md5();
    const writer = await client(t, 'holds a row');
    await writer.query('BEGIN');
    await writer.query(`SELECT FROM cities WHERE id = 'r00001' FOR UPDATE`);
    t.source.put({ id: 'r00001', updated_at: '2026-01-01T00:00:00Z', name: 'changed' });
    const terminate = new AbortController();
    const run = t.run('sync --api_job_id 2', {}, terminate.signal);
    const waits = `SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE application_name = 'syncrator-job' AND datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(async () => await t.query(waits), { timeout: 15_000 }).toEqual([{ n: 1 }]);
    terminate.abort(new JobError('terminated', 'ended by SIGTERM'));
    expect((await run).code).toBe(EXIT.terminated);
    expect(await t.md5()).toBe(before);
    await writer.query('ROLLBACK');
    await writer.end();
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});

async function client(t: Setup, application = 'test'): Promise<Client> {
  const made = new Client({ connectionString: t.sinkUrl, application_name: application });
  await made.connect();
  return made;
}

/** Other sessions of this database that wait for a lock, sampled from the server many times a second. */
function watchReaders(t: Setup): { end(): Promise<string[]> } {
  const seen = new Set<string>();
  let ended = false;
  const reading = (async () => {
    const reader = await client(t, 'reader');
    while (!ended) await reader.query(`SELECT * FROM cities WHERE id = 'r00001'`);
    await reader.end();
  })();
  const watching = (async () => {
    const watcher = await client(t, 'watcher');
    while (!ended) {
      const { rows } = await watcher.query<{ who: string }>(
        `SELECT format('%s waits: %s', application_name, query) AS who FROM pg_stat_activity
         WHERE cardinality(pg_blocking_pids(pid)) > 0 AND application_name <> 'syncrator-job'
           AND datname = current_database() AND backend_type = 'client backend'`,
      );
      for (const { who } of rows) seen.add(who);
    }
    await watcher.end();
  })();
  return {
    async end() {
      ended = true;
      await Promise.all([reading, watching]);
      return [...seen];
    },
  };
}
