/** Source `sql` over a real Postgres. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../support/certificates.ts';
import { startPgBouncer } from '../../../support/pgbouncer.ts';
import { startStatementProxy } from '../../support/statement-proxy.ts';
import {
  hoursBehind,
  idsIn,
  jsonOf,
  makePlaces,
  open,
  PLACES,
  recordsIn,
  someIds,
} from './support/database.ts';
import { describeSqlSource } from './support/every-dialect.ts';
import { postgresDatabase } from './support/postgres.ts';
import { startSilentRelay } from '../../support/silent-relay.ts';

describeSqlSource('Postgres', postgresDatabase);

describe('values of Postgres', () => {
  it('become JSON', async () => {
    await using db = await postgresDatabase();
    const values = {
      'NULL::int': 'null',
      true: 'true',
      '42': '42',
      '9007199254740993::bigint': '9007199254740993',
      '1.50::numeric(9,2)': '1.50',
      [`'NaN'::numeric`]: '"NaN"',
      '0.1::float8': '0.1',
      [`'Infinity'::float8`]: '"Infinity"',
      [`'a "b" ä 😀'`]: String.raw`"a \"b\" ä 😀"`,
      [`'abc'::char(5)`]: '"abc  "',
      [`timestamptz '2026-07-01 12:00:00.123456+02'`]: '"2026-07-01T10:00:00.123456+00:00"',
      [`timestamp '2026-07-01 12:00:00'`]: '"2026-07-01T12:00:00"',
      [`date '2026-07-01'`]: '"2026-07-01"',
      [`time '12:00'`]: '"12:00:00"',
      [`interval '1 day 2 hours'`]: '"P1DT2H"',
      [String.raw`'\x00ff'::bytea`]: String.raw`"\\x00ff"`,
      [`'{"a": [1, null]}'::jsonb`]: '{"a":[1,null]}',
      [`'{"a": 1.0}'::json`]: '{"a":1.0}',
      'ARRAY[1,2]': '[1,2]',
      [`'6f1c3c3e-0000-4000-8000-000000000000'::uuid`]: '"6f1c3c3e-0000-4000-8000-000000000000"',
    };
    expect(await jsonOf(db, Object.keys(values))).toEqual(values);
  });

  it.each([
    [`timestamptz '2026-07-01 12:00:00.123456+02'`, '2026-07-01T10:00:00.123456Z'],
    [`timestamp '2026-07-01 12:00:00'`, '2026-07-01T12:00:00.000000Z'],
    [`date '2026-07-01'`, '2026-07-01T00:00:00.000000Z'],
  ])('%s can be the time of a record, in UTC', async (expression, time) => {
    await using db = await postgresDatabase();
    const source = (more = {}) =>
      open(db, {
        SOURCE_QUERY: `SELECT 'x' AS id, ${expression} AS changed`,
        SOURCE_ID: 'id',
        SOURCE_UPDATED_AT: 'changed',
        ...more,
      });
    expect((await recordsIn(source()))[0]?.updated_at).toBe(time);
    expect(await recordsIn(source(), new Date(Date.parse(time)))).toHaveLength(1);
    expect(await recordsIn(source(), new Date(Date.parse(time) + 1))).toEqual([]);
  });

  it('a text cannot be the time of a record', async () => {
    await using db = await postgresDatabase();
    const survey = open(db, {
      SOURCE_QUERY: `SELECT 'x' AS id, 'y' AS at`,
      SOURCE_ID: 'id',
      SOURCE_UPDATED_AT: 'at',
    });
    await expect(survey.survey(null)).rejects.toThrow(
      /^SOURCE_UPDATED_AT: the column at of SOURCE_QUERY has the type text; name one that holds a date/,
    );
  });
});

describe('the clock of a source in Postgres', () => {
  it.each([
    ['timestamptz', 0],
    ['timestamp', 12],
    ['date', 36],
  ])('is as early as a %s may be late: %i hours', async (type, hours) => {
    await using db = await postgresDatabase();
    await db.exec(`CREATE TABLE times (id int, changed ${type})`);
    expect(await hoursBehind(db)).toBe(hours);
  });
});

describe('the clock of a replica', () => {
  it('is as early as the last transaction that it has', async () => {
    await using db = await postgresDatabase();
    // Functions that hide those of the server, as on a replica that is three hours behind.
    await db.exec(`CREATE TABLE times (id int, changed timestamptz); CREATE SCHEMA replica;
      CREATE FUNCTION replica.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true';
      CREATE FUNCTION replica.pg_last_xact_replay_timestamp() RETURNS timestamptz LANGUAGE sql AS
        $$ SELECT now() - interval '3 hours' $$;
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = replica, pg_catalog, public', current_database()); END $$`);
    expect(await hoursBehind(db)).toBe(3);
  });
});

describe('SOURCE_DELETED_AT in Postgres', () => {
  it('is no flag, since false would count as deleted', async () => {
    await using db = await postgresDatabase();
    await db.exec('CREATE TABLE flags (id int, deleted boolean NOT NULL DEFAULT false)');
    const source = open(db, { SOURCE_TABLE: 'flags', SOURCE_ID: 'id', SOURCE_DELETED_AT: 'deleted' });
    await expect(source.survey(null)).rejects.toThrow(
      /^SOURCE_DELETED_AT: the column deleted of flags has the type boolean, .*even false/,
    );
  });
});

describe('a session in Postgres', () => {
  it('is closed although its server has fallen silent', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, ['a']);
    await using relay = await startSilentRelay(db.url);
    const source = open(relay);
    await source.survey(null);
    relay.fallSilent();
    await source.close?.();
  });

  it('goes on behind the last id when its connection is lost at any statement', async () => {
    await using db = await postgresDatabase();
    const ids = someIds(1_200);
    await makePlaces(db, ids);
    await using whole = await startStatementProxy({ url: db.url });
    await recordsIn(open({ url: whole.url }));
    expect(whole.statements.length).toBeGreaterThan(6);
    for (const [nth, statement] of whole.statements.entries()) {
      const when = nth % 2 === 0 ? 'after' : 'before';
      await using proxy = await startStatementProxy({
        url: db.url,
        cut: { at: nth + 1, when, ends: 'connection' },
      });
      const source = open({ url: proxy.url }, PLACES, { patienceMs: 5_000 });
      expect(
        (await recordsIn(source)).map(({ id }) => id),
        statement,
      ).toEqual(ids);
      expect(proxy.cut).toBe(true);
      expect((await source.evidence()).complete).toBe(true);
      await source.close?.();
    }
  });

  it('is ended at the server when the run is stopped', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, someIds(1_000));
    const stop = new AbortController();
    const settings = { SOURCE_QUERY: db.slow, SOURCE_ID: 'id' };
    const survey = open(db, settings, { stop: stop.signal }).survey(null);
    const ended = expect(survey).rejects.toThrow('enough');
    const client = new Client({ connectionString: db.url });
    await client.connect();
    const active = async (): Promise<number> => {
      const { rows } = await client.query<{ query: string }>(
        `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT count%'`,
      );
      return rows.length;
    };
    await expect.poll(active).toBe(1);
    stop.abort(new Error('enough'));
    await ended;
    await expect.poll(active).toBe(0);
    await client.end();
  });

  it('cannot be left by a SELECT that brings further statements', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, ['a']);
    const query = 'SELECT 1 AS id) q LIMIT 0; COMMIT; DELETE FROM places; SELECT * FROM (SELECT 1 AS id';
    const survey = open(db, { SOURCE_QUERY: query, SOURCE_ID: 'id' }).survey(null);
    await expect(survey).rejects.toMatchObject({ code: 'notConfigured' });
    expect(await idsIn(open(db))).toEqual(['a']);
  });

  it('names a column that a SELECT gives twice', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, ['a']);
    const query = 'SELECT a.*, b.name FROM places a JOIN places b USING (id)';
    await expect(open(db, { SOURCE_QUERY: query, SOURCE_ID: 'id' }).survey(null)).rejects.toThrow(
      /^SOURCE_QUERY has two columns named name; give one of them another name with AS$/,
    );
  });

  it('passes through a pooler that lends sessions by transaction', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, someIds(500));
    await using pooler = await startPgBouncer(db.url, 'transaction');
    const source = open({ url: pooler.through(db.url) });
    expect(await source.survey(null)).toEqual({ total: 500 });
    expect(await recordsIn(source)).toHaveLength(500);
    expect([...(await source.stillThere(['p00001', 'x']))]).toEqual(['p00001']);
  });

  it('is refused if a policy would hide rows', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, ['a', 'b']);
    const role = `reader_${String(process.pid)}`;
    await db.exec(
      `DO $$ BEGIN CREATE ROLE ${role} LOGIN PASSWORD 'hush'; EXCEPTION WHEN duplicate_object THEN END $$`,
    );
    const url = new URL(db.url);
    url.username = role;
    url.password = 'hush';
    const reader = { url: url.href };
    await expect(open(reader).survey(null)).rejects.toMatchObject({
      code: 'sourceUnauthorized',
      message: 'source: permission denied for table places; GRANT SELECT to the role of SOURCE_URL',
    });
    await db.exec(`GRANT SELECT ON places TO ${role}; ALTER TABLE places ENABLE ROW LEVEL SECURITY;
      CREATE POLICY half ON places USING (id = 'a')`);
    await expect(open(reader).survey(null)).rejects.toThrow(/row-level security.*BYPASSRLS/);
    url.password = 'wrong';
    await expect(open({ url: url.href }).survey(null)).rejects.toMatchObject({ code: 'sourceUnauthorized' });
    await db.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('is refused if its certificate is of an unknown authority', async () => {
    using authority = await createAuthority();
    const { crt, key } = await authority.sign('postgres');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      // Accepts every request for TLS.
      socket.once('data', () => {
        socket.write('S');
        const options = { isServer: true, cert: readFileSync(crt), key: readFileSync(key) };
        new TLSSocket(socket, options).on('error', () => {});
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const source = open({ url: `postgres://u:hush@127.0.0.1:${port}/d?sslmode=verify-full` });
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/certificate.*; set sslrootcert in SOURCE_URL.*\[tls\]$/) as string,
    });
    server.close();
  });

  it('is away if nothing listens, and says so without the password', async () => {
    const waits: (string | null)[] = [];
    const source = open({ url: 'postgres://u:hush@127.0.0.1:1/d' }, PLACES, {
      patienceMs: 300,
      onWait: (words) => waits.push(words),
    });
    const error = (await source.survey(null).catch((error: unknown) => error)) as Error;
    expect(error).toMatchObject({ code: 'sourceUnreachable' });
    expect(error.message).toMatch(
      /^postgres:\/\/<FILTERED>@127\.0\.0\.1:1\/d places: .*ECONNREFUSED.*\[econnrefused\]$/,
    );
    expect(waits.join()).toContain('retrying in');
    expect(error.message + waits.join()).not.toContain('hush');
  });

  it('gives the clock of the server', async () => {
    await using db = await postgresDatabase();
    await makePlaces(db, ['a']);
    const source = open(db);
    expect(source.clock()).toEqual({ earliest: null, skewMs: 0 });
    await recordsIn(source);
    const { earliest, skewMs } = source.clock();
    expect(Math.abs(skewMs)).toBeLessThan(60_000);
    expect(Math.abs(Date.now() - (earliest?.getTime() ?? 0))).toBeLessThan(60_000);
  });
});
