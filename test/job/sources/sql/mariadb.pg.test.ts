/** Source `sql` over a real MariaDB. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../../support/certificates.ts';
import { type Mariadb, startMariadb } from '../../../support/mariadb.ts';
import { hoursBehind, idsIn, makePlaces, open, PLACES, recordsIn, someIds } from './support/database.ts';
import { describeSqlSource } from './support/every-dialect.ts';
import { mariadbDatabase } from './support/mariadb.ts';
import { startSilentRelay } from '../../support/silent-relay.ts';

let server: Mariadb;
let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
  server = await startMariadb({ ...(await authority.sign('mariadb')), ca: authority.ca });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

const database = () => mariadbDatabase(server);

describeSqlSource('MariaDB', database);

const TYPES = {
  bool: ['BOOLEAN', 'TRUE', '1'],
  big: ['BIGINT UNSIGNED', '18446744073709551615', '18446744073709551615'],
  small: ['SMALLINT', '-7', '-7'],
  exact: ['DECIMAL(30,4)', '12345678901234567890.5', '12345678901234567890.5000'],
  zeros: ['DECIMAL(8,2) ZEROFILL', '1.5', '1.50'],
  double: ['DOUBLE', '0.1', '0.1'],
  fine: ['DOUBLE', '98.15059290768835', '98.15059290768835'],
  huge: ['DOUBLE', '-1.5e300', '-1.5e300'],
  short: ['FLOAT', '1.5', '1.5'],
  text: ['VARCHAR(40)', `'a "b" ä 😀'`, String.raw`"a \"b\" ä 😀"`],
  latin: ['VARCHAR(40) CHARACTER SET latin1', `'ä'`, '"ä"'],
  bytes: ['VARBINARY(4)', `X'00ff'`, String.raw`"\\x00ff"`],
  blob: ['BLOB', `X'00ff'`, String.raw`"\\x00ff"`],
  bit: ['BIT(8)', '5', String.raw`"\\x05"`],
  time: ['TIMESTAMP(6)', `'2026-07-01 12:00:00.123456'`, '"2026-07-01T12:00:00.123456+00:00"'],
  local: ['DATETIME', `'2026-07-01 12:00:00'`, '"2026-07-01T12:00:00"'],
  day: ['DATE', `'2026-07-01'`, '"2026-07-01"'],
  clock: ['TIME', `'12:00:00'`, '"12:00:00"'],
  year: ['YEAR', '2026', '2026'],
  json: ['JSON', `'{"a": [1.0, null]}'`, '{"a":[1.0,null]}'],
  word: [`ENUM('a','b')`, `'b'`, '"b"'],
  nothing: ['INT', 'NULL', 'null'],
} as const;

describe('values of MariaDB', () => {
  it('become JSON', async () => {
    await using db = await database();
    const names = Object.keys(TYPES) as (keyof typeof TYPES)[];
    await db.exec(`SET time_zone = '+00:00'; CREATE TABLE types (id INT, ${names.map((name) => `\`${name}\` ${TYPES[name][0]} NULL`).join(', ')});
      INSERT INTO types VALUES (1, ${names.map((name) => TYPES[name][1]).join(', ')})`);
    const [row] = await recordsIn(open(db, { SOURCE_TABLE: 'types', SOURCE_ID: 'id' }));
    const told = Object.fromEntries(names.map((name) => [name, JSON.stringify(row?.record[name])]));
    expect(told).toEqual(Object.fromEntries(names.map((name) => [name, TYPES[name][2]])));
  });

  it.each([
    ['TIMESTAMP(6) NULL', `'2026-07-01 12:00:00.123456'`, '2026-07-01T12:00:00.123456Z'],
    ['DATETIME', `'2026-07-01 12:00:00'`, '2026-07-01T12:00:00.000000Z'],
    ['DATE', `'2026-07-01'`, '2026-07-01T00:00:00.000000Z'],
  ])('a %s can be the time of a record, in UTC', async (type, value, time) => {
    await using db = await database();
    await db.exec(`SET time_zone = '+00:00'; CREATE TABLE times (id VARBINARY(2), changed ${type});
      INSERT INTO times VALUES (X'ff01', ${value})`);
    const source = open(db, { SOURCE_TABLE: 'times', SOURCE_ID: 'id', SOURCE_UPDATED_AT: 'changed' });
    expect(await recordsIn(source)).toMatchObject([{ id: '\\xff01', updated_at: time }]);
    expect(await recordsIn(source, new Date(Date.parse(time)))).toHaveLength(1);
    expect(await recordsIn(source, new Date(Date.parse(time) + 1))).toEqual([]);
  });
});

describe('the clock of a source in MariaDB', () => {
  it.each([
    ['TIMESTAMP NULL', 0],
    ['DATETIME', 12],
    ['DATE', 36],
  ])('is as early as a %s may be late: %i hours', async (type, hours) => {
    await using db = await database();
    await db.exec(`CREATE TABLE times (id INT, changed ${type})`);
    expect(await hoursBehind(db)).toBe(hours);
  });
});

describe('SOURCE_DELETED_AT in MariaDB', () => {
  it('is no flag, since false would count as deleted', async () => {
    await using db = await database();
    await db.exec('CREATE TABLE flags (id INT, deleted BOOLEAN NOT NULL DEFAULT FALSE)');
    const source = open(db, { SOURCE_TABLE: 'flags', SOURCE_ID: 'id', SOURCE_DELETED_AT: 'deleted' });
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringMatching(
        /^SOURCE_DELETED_AT: the column deleted of flags has the type TINYINT, .*even false.*SOURCE_QUERY$/,
      ) as string,
    });
  });
});

/** Sessions of the source in a database. */
async function sessionsIn({ name }: { name: string }): Promise<number[]> {
  const rows = await server.exec(
    'mysql',
    `SELECT id FROM information_schema.processlist WHERE db = '${name}'`,
  );
  return (rows as { id: number }[]).map(({ id }) => id);
}

describe('a session in MariaDB', () => {
  it('goes on behind the last id when it is killed', async () => {
    await using db = await database();
    const ids = someIds(5_000);
    await makePlaces(db, ids);
    // More than the buffers of the connection hold.
    await db.exec(`UPDATE places SET name = REPEAT('x', 150)`);
    const wide = {
      ...PLACES,
      SOURCE_TABLE: '',
      SOURCE_QUERY: 'SELECT id, REPEAT(name, 100) AS name, updated_at FROM places',
    };
    const source = open(db, wide, { patienceMs: 5_000 });
    const seen: string[] = [];
    let killed = 0;
    for await (const { records } of source.changedSince(null, null, 500)) {
      seen.push(...records.map(({ id }) => id));
      if (killed === 2) continue;
      for (const id of await sessionsIn(db)) {
        await server.exec('mysql', `KILL ${id}`);
        killed += 1;
      }
    }
    expect(killed).toBe(2);
    expect(seen).toEqual(ids);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('whose server sends no row for too long is ended, at the server too', async () => {
    await using db = await database();
    await makePlaces(db, someIds(100));
    const query = { SOURCE_QUERY: 'SELECT id, SLEEP(30) AS name FROM places', SOURCE_ID: 'id' };
    const reading = recordsIn(open(db, query, { statementMs: 500 }));
    await expect(reading).rejects.toMatchObject({
      code: 'sourceTimeout',
      message: expect.stringMatching(
        /^source: a statement took longer than 500 ms \(no row came\)/,
      ) as string,
    });
    await expect.poll(() => sessionsIn(db)).toEqual([]);
  });

  it('whose server falls silent is ended and closed', async () => {
    await using db = await database();
    await makePlaces(db, ['a']);
    await using relay = await startSilentRelay(db.url);
    const source = open(relay, PLACES, { statementMs: 300 });
    await source.survey(null);
    relay.fallSilent();
    await expect(source.survey(new Date(0))).rejects.toMatchObject({ code: 'sourceTimeout' });
    await source.close?.();
  });

  it('is ended at the server when the run is stopped', async () => {
    await using db = await database();
    await makePlaces(db, someIds(100));
    const stop = new AbortController();
    const query = { SOURCE_QUERY: 'SELECT id, name FROM places WHERE SLEEP(30) = 0', SOURCE_ID: 'id' };
    const ended = expect(open(db, query, { stop: stop.signal }).survey(null)).rejects.toThrow('enough');
    await expect.poll(() => sessionsIn(db)).toHaveLength(1);
    stop.abort(new Error('enough'));
    await ended;
    await expect.poll(() => sessionsIn(db)).toEqual([]);
  });

  it('sorts by all bytes of the ids, although the server would sort by fewer', async () => {
    await using db = await database();
    const ids = ['d', 'b', 'a', 'c'].map((id) => `${'x'.repeat(100)}${id}`);
    await makePlaces(db, ids);
    await server.exec('mysql', 'SET GLOBAL max_sort_length = 64');
    try {
      expect(await idsIn(open(db))).toEqual(ids.toSorted());
    } finally {
      await server.exec('mysql', 'SET GLOBAL max_sort_length = 1024');
    }
  });

  it('without a right says which, and with a wrong password does not show it', async () => {
    await using db = await database();
    await makePlaces(db, ['a']);
    const user = `r_${String(process.pid)}`;
    await db.exec(`CREATE USER ${user} IDENTIFIED BY 'hush'; GRANT SELECT ON ${db.name}.log TO ${user}`);
    const url = new URL(db.url);
    [url.username, url.password] = [user, 'hush'];
    await expect(open({ url: url.href }).survey(null)).rejects.toMatchObject({
      code: 'sourceUnauthorized',
      message: expect.stringMatching(
        /SELECT command denied.*; GRANT SELECT to the user of SOURCE_URL$/,
      ) as string,
    });
    url.password = 'other-hush';
    const error = (await open({ url: url.href })
      .survey(null)
      .catch((error: unknown) => error)) as Error;
    expect(error).toMatchObject({ code: 'sourceUnauthorized' });
    expect(error.message).toMatch(/Access denied.*; correct user and password in SOURCE_URL$/);
    expect(error.message).not.toContain('other-hush');
    await db.exec(`DROP USER ${user}`);
  });

  it('is encrypted, and checks the certificate, as ssl-mode says', async () => {
    await using db = await database();
    await makePlaces(db, ['a']);
    const user = `t_${String(process.pid)}`;
    await db.exec(
      `CREATE USER ${user} IDENTIFIED BY 'hush' REQUIRE SSL; GRANT SELECT ON ${db.name}.* TO ${user}`,
    );
    const survey = async (query: string) => {
      const url = new URL(db.url);
      [url.username, url.password, url.search] = [user, 'hush', query];
      const source = open({ url: url.href });
      try {
        return await source.survey(null);
      } finally {
        await source.close?.();
      }
    };
    await expect(survey('')).rejects.toMatchObject({ code: 'sourceUnauthorized' });
    const ca = `&ssl-ca=${authority.ca}`;
    for (const query of ['ssl-mode=required', `ssl-mode=verify-ca${ca}`, `ssl-mode=verify-identity${ca}`])
      expect(await survey(query)).toEqual({ total: 1 });
    await expect(survey('ssl-mode=verify-ca')).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(/\[tls\]$/) as string,
    });
    await expect(survey('ssl-mode=verify-ca&ssl-ca=/nowhere.pem')).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringMatching(/^cannot read ssl-ca of SOURCE_URL: ENOENT/) as string,
    });
    await db.exec(`DROP USER ${user}`);
  });

  it('is away if nothing listens', async () => {
    const source = open({ url: 'mariadb://u:hush@127.0.0.1:1/d' }, PLACES, { patienceMs: 300 });
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'sourceUnreachable',
      message: expect.stringMatching(
        /^mariadb:\/\/<FILTERED>@127\.0\.0\.1:1\/d places: .*\[econnrefused\]$/,
      ) as string,
    });
  });

  it('of a table without snapshots gives no evidence if it was written meanwhile', async () => {
    await using db = await database();
    await makePlaces(db, someIds(10));
    await db.exec('ALTER TABLE places ENGINE = MyISAM');
    const quiet = open(db);
    await quiet.survey(null);
    await idsIn(quiet);
    expect((await quiet.evidence()).complete).toBe(true);
    const busy = open(db);
    await busy.survey(null);
    await db.exec(`DELETE FROM places WHERE id = 'p00001'`);
    await recordsIn(busy);
    expect(await busy.evidence()).toMatchObject({
      complete: false,
      words: expect.stringMatching(/^9 rows read, though the table had 10: .*no snapshots$/) as string,
    });
  });
});
