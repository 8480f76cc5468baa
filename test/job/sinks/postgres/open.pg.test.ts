/** The checks of a sink before the source is read: each refusal says how to fix it. */

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { type Setup, setup } from '../../support/setup.ts';

const COLUMNS = 'id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL';

async function refused(
  t: Setup,
  environment: Record<string, string> = {},
): Promise<{ code: number | null; words: string }> {
  const { code } = await t.run('sync', environment);
  expect(t.source.requests, 'nothing was read').toEqual([]);
  return { code, words: t.receiver.reports.at(-1)?.message ?? '' };
}

describe('opening a Postgres sink', () => {
  it.each([
    ['a view', ['CREATE TABLE base (id text)', 'CREATE VIEW cities AS SELECT * FROM base'], /is a view/],
    [
      'rules',
      [`CREATE TABLE cities (${COLUMNS})`, 'CREATE RULE r AS ON DELETE TO cities DO INSTEAD NOTHING'],
      /has rules/,
    ],
    [
      'inheritance',
      [`CREATE TABLE cities (${COLUMNS})`, 'CREATE TABLE child () INHERITS (cities)'],
      /inherit from it/,
    ],
    [
      'no unique id',
      ['CREATE TABLE cities (id text, updated_at timestamptz, record jsonb)'],
      /CREATE UNIQUE INDEX/,
    ],
    [
      'an id that is unique in part',
      [
        'CREATE TABLE cities (id text, updated_at timestamptz, record jsonb)',
        `CREATE UNIQUE INDEX ON cities (id) WHERE id > 'a'`,
      ],
      /CREATE UNIQUE INDEX/,
    ],
    [
      'an id of another type',
      ['CREATE TABLE cities (id varchar PRIMARY KEY, updated_at timestamptz, record jsonb)'],
      /id of type character varying; it must be text/,
    ],
    [
      'times without a zone',
      ['CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamp, record jsonb)'],
      /updated_at of type timestamp without/,
    ],
    [
      'times of whole seconds',
      ['CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz(0), record jsonb)'],
      /updated_at of type timestamp\(0\)/,
    ],
    [
      'a domain',
      [
        'CREATE DOMAIN name AS text',
        'CREATE TABLE cities (id name PRIMARY KEY, updated_at timestamptz, record jsonb)',
      ],
      /id of type .*name; it must be text/,
    ],
    [
      'records of another type',
      ['CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz, record json)'],
      /record of type json/,
    ],
    [
      'other columns',
      ['CREATE TABLE cities (id text PRIMARY KEY, salary int)'],
      /has no column updated_at .*, only id, salary/,
    ],
    [
      'a column that wants to be filled',
      [`CREATE TABLE cities (${COLUMNS}, salary int NOT NULL)`],
      /salary.*give them a default/,
    ],
    [
      'a collation that is not deterministic',
      [
        `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
        'CREATE TABLE cities (id text COLLATE loose PRIMARY KEY, updated_at timestamptz, record jsonb)',
      ],
      /collation/,
    ],
    [
      'a publication without a replica identity',
      [
        'CREATE TABLE cities (id text NOT NULL UNIQUE, updated_at timestamptz, record jsonb)',
        'CREATE PUBLICATION p FOR TABLE cities',
      ],
      /REPLICA IDENTITY/,
    ],
    [
      'a publication of all tables',
      ['CREATE PUBLICATION everything FOR ALL TABLES'],
      /everything is FOR ALL TABLES.*SINK_ALL_TABLES=accept/,
    ],
    [
      'a stranger in our schema',
      ['CREATE SCHEMA syncrator', 'CREATE TABLE syncrator.changes (precious text)'],
      /holds changes, which Syncrator did not create; set SINK_STATE_SCHEMA/,
    ],
  ])('is refused for %s', async (_, statements, words) => {
    await using t = await setup(someRows(3));
    for (const statement of statements) await t.query(statement);
    const before = await t.tables();
    const end = await refused(t);
    expect(end).toEqual({ code: EXIT.notConfigured, words: expect.stringMatching(words) as string });
    expect(await t.tables()).toEqual(before);
  });

  it('is refused without the needed rights, and the error contains the GRANT statement', async () => {
    await using t = await setup(someRows(3));
    const role = `limited_${crypto.randomUUID().slice(0, 8)}`;
    await t.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited'`);
    const url = new URL(t.sinkUrl);
    [url.username, url.password] = [role, 'limited'];
    const environment = { SINK_URL: url.href };
    await t.query(`CREATE TABLE cities (${COLUMNS})`);
    await t.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    const schema = await refused(t, environment);
    expect(schema).toMatchObject({
      code: EXIT.sinkPermission,
      words: expect.stringContaining(`CREATE SCHEMA "syncrator" AUTHORIZATION "${role}"`),
    });
    await t.query(`CREATE SCHEMA syncrator AUTHORIZATION ${role}`);
    const rights = await refused(t, environment);
    expect(rights).toMatchObject({
      code: EXIT.sinkPermission,
      words: expect.stringContaining(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."cities" TO "${role}"`,
      ),
    });
    await t.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON cities TO ${role}`);
    await t.query('ALTER TABLE cities ENABLE ROW LEVEL SECURITY');
    expect((await t.run('sync', environment)).code, 'a policy is an error, and not a shorter table').toBe(
      EXIT.sinkPermission,
    );
    expect(t.receiver.reports.at(-1)?.message).toContain('row-level security');
    await t.query('ALTER TABLE cities DISABLE ROW LEVEL SECURITY');
    expect((await t.run('sync', environment)).code, 'these rights are all that it needs').toBe(EXIT.ok);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(3);
    await t.query(`DROP OWNED BY ${role} CASCADE`);
    await t.query(`DROP ROLE ${role}`);
  });

  it('is refused after a while if Postgres accepts no writes', async () => {
    await using t = await setup(someRows(3));
    const database = new URL(t.sinkUrl).pathname.slice(1);
    await t.query(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    expect((await refused(t)).code).toBe(EXIT.sinkReadOnly);
    expect(t.receiver.reports.some(({ waiting_for: words }) => words?.includes('accepts no writes'))).toBe(
      true,
    );
  });

  it('is refused after a while if unreachable, and at once with a wrong password', async () => {
    await using t = await setup(someRows(3));
    const gone = new URL(t.sinkUrl);
    gone.port = '1';
    expect(await refused(t, { SINK_URL: gone.href })).toMatchObject({
      code: EXIT.sinkUnreachable,
      words: expect.stringContaining('ECONNREFUSED'),
    });
    const wrong = new URL(t.sinkUrl);
    wrong.password = 'wrong';
    const end = await refused(t, { SINK_URL: wrong.href });
    expect(end.code).toBe(EXIT.notConfigured);
    expect(end.words).not.toContain('wrong@');
  });

  it('creates our tables in SINK_STATE_SCHEMA', async () => {
    await using t = await setup(someRows(3));
    expect((await t.run('sync', { SINK_STATE_SCHEMA: 'ours' })).code).toBe(EXIT.ok);
    expect(await t.tables('ours')).toContain('change_sets');
    expect(await t.tables('syncrator')).toEqual([]);
  });
});
