/** What the owner of the table has made beside and on the columns of SINK_COLUMNS stays, and stops no sync. */
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { NEW_COLUMN } from '../../../../src/job/columns/parse-columns.ts';
import { uidOf } from '../../support/attempt.ts';
import { setup, type Setup } from '../../support/setup.ts';

const at = (): string => new Date().toISOString();
const OLD = '2025-01-01T00:00:00Z';
const AACHEN = { id: 'a', updated_at: OLD, name: 'Aachen', pages: 1 };
const BONN = { id: 'b', updated_at: OLD, name: 'Bonn', pages: 2 };
const BOTH = [AACHEN, BONN];
const MANY = Array.from({ length: 20 }, (_, nth) => ({ id: `r${nth}`, updated_at: OLD, name: `n${nth}` }));
const NAMES = { SINK_COLUMNS: 'name text' };

let count = 0;
/** Runs a job of its own. */
async function run(t: Setup, action: string, environment: Record<string, string>) {
  count += 1;
  const { code, output } = await t.run(`${action} --api_job_id ${count}`, {
    SYNCRATOR_JOB_UID: uidOf(count),
    ...environment,
  });
  return { code, output, report: t.receiver.reports.at(-1) };
}

async function columnsOf(t: Setup): Promise<string[]> {
  const rows = await t.query<{ name: string }>(
    `SELECT attname || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END AS name FROM pg_attribute
     WHERE attrelid = 'cities'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname ~ '^syncrator_new_[0-9a-f]{16}$' ORDER BY attname`,
  );
  return rows.map(({ name }) => name);
}

async function namesNow(t: Setup): Promise<Record<string, string | null>> {
  const rows = await t.query<{ id: string; name: string | null }>('SELECT id, name FROM cities');
  return Object.fromEntries(rows.map(({ id, name }) => [id, name]));
}

/** A sync of an empty source, which the guard refuses once it has added the columns. */
async function failSync(t: Setup, environment: Record<string, string>): Promise<void> {
  const all = [...t.source.rows.values()];
  t.source.rows.clear();
  expect(await run(t, 'sync', environment)).toMatchObject({ code: EXIT.deleteGuard });
  t.source.put(...all);
}

it('a column of the owner whose name begins as those of a sync stays', async () => {
  await using t = await setup(BOTH);
  await run(t, 'sync', {});
  await t.query(`ALTER TABLE cities ADD ${NEW_COLUMN}customers text DEFAULT 'precious'`);
  expect(await run(t, 'sync', NAMES)).toMatchObject({ code: EXIT.ok });
  expect(await columnsOf(t)).toContain(`${NEW_COLUMN}customers`);
});

it('a failed sync leaves NOT NULL on the columns that it would have dropped, and new rows need no value there', async () => {
  await using t = await setup(MANY);
  await run(t, 'sync', { SINK_COLUMNS: 'name text, pages bigint' });
  await t.query('CREATE UNIQUE INDEX ON cities (name); ALTER TABLE cities ALTER name SET NOT NULL');
  const before = await columnsOf(t);
  const list = {
    SINK_COLUMNS: 'name jsonb, pages bigint',
    SINK_RECORD: 'false',
    SINK_DROP_COLUMNS: 'name, record',
  };
  await failSync(t, list);
  expect(await columnsOf(t)).toEqual(before);
  t.source.put({ id: 'new', updated_at: at() }, { id: 'newer', updated_at: at() });
  expect(await run(t, 'sync', list)).toMatchObject({ code: EXIT.ok, report: { added: 2 } });
  expect(await columnsOf(t)).toEqual(['id NOT NULL', 'name', 'pages', 'updated_at NOT NULL']);
});

it('a role that is not the owner goes on beside the new columns of a sync that has failed', async () => {
  await using t = await setup(MANY);
  await run(t, 'sync', {});
  await failSync(t, NAMES);
  const role = `writer_${crypto.randomUUID().slice(0, 8)}`;
  await t.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  try {
    await t.query(`GRANT USAGE, CREATE ON SCHEMA syncrator TO ${role};
      GRANT ALL ON ALL TABLES IN SCHEMA syncrator TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON cities TO ${role}`);
    const url = new URL(t.sinkUrl);
    url.username = role;
    url.password = 'x';
    for (const action of ['delta', 'delete', 'sync'])
      expect(await run(t, action, { SINK_URL: url.href }), action).toMatchObject({ code: EXIT.ok });
  } finally {
    await t.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

describe('a constraint on an empty column that becomes ours', () => {
  it.each([
    `CHECK (name <> 'Bonn')`,
    'UNIQUE',
    'REFERENCES towns',
    'REFERENCES towns DEFERRABLE INITIALLY DEFERRED',
  ])('%s sets the records aside that it refuses, until the source corrects them', async (constraint) => {
    const twin = { ...AACHEN, id: 'c' };
    await using t = await setup([...BOTH, ...(constraint === 'UNIQUE' ? [twin] : [])]);
    const refused = constraint === 'UNIQUE' ? 'c' : 'b';
    await run(t, 'sync', {});
    await t.query(`CREATE TABLE towns (name text PRIMARY KEY); INSERT INTO towns VALUES ('Aachen'), ('Celle');
      ALTER TABLE cities ADD name text ${constraint}`);
    const strict = await run(t, 'sync', NAMES);
    expect(strict.code, strict.output).toBe(EXIT.recordsRejected);
    const patient = await run(t, 'sync', { ...NAMES, MAX_REJECTED: '1' });
    expect(patient.code, patient.output).toBe(EXIT.ok);
    expect(patient.report?.failed_items).toMatchObject([{ id: refused }]);
    expect(await namesNow(t)).toMatchObject({ a: 'Aachen', [refused]: null });
    expect(await t.names()).toMatchObject({ a: 'Aachen', b: 'Bonn' });
    t.source.put({ id: refused, updated_at: at(), name: 'Celle' });
    expect(await run(t, 'sync', NAMES)).toMatchObject({ code: EXIT.ok, report: { updated: 1 } });
    expect(await namesNow(t)).toMatchObject({ a: 'Aachen', [refused]: 'Celle' });
  });
});

it.each(['CHECK (pages > 0)', 'REFERENCES sizes'])('a column with %s is not dropped', async (constraint) => {
  await using t = await setup(BOTH);
  await run(t, 'sync', { SINK_COLUMNS: 'pages integer' });
  await t.query(`CREATE TABLE sizes (pages int PRIMARY KEY); INSERT INTO sizes VALUES (1), (2);
    ALTER TABLE cities ADD ${constraint.startsWith('CHECK') ? constraint : `FOREIGN KEY (pages) ${constraint}`}`);
  const list = { SINK_COLUMNS: 'pages bigint', SINK_DROP_COLUMNS: 'pages' };
  expect(await run(t, 'sync', list)).toMatchObject({
    code: EXIT.notConfigured,
    output: expect.stringMatching(/and constraint cities_pages_\w+ on table cities uses it/) as string,
  });
});

it.each([{}, { SINK_RECORD: 'false' }])(
  'records swap a value that is unique and NOT NULL (%j)',
  async (record) => {
    await using t = await setup(BOTH);
    const list = { SINK_COLUMNS: 'name text, pages integer', ...record };
    await run(t, 'sync', list);
    await t.query(
      'ALTER TABLE cities ADD UNIQUE (name), ALTER name SET NOT NULL, ADD CHECK (pages < 9), ALTER pages SET NOT NULL',
    );
    t.source.put(
      { ...AACHEN, name: 'Bonn', updated_at: at() },
      { ...BONN, name: 'Aachen', updated_at: at() },
    );
    const swap = await run(t, 'sync', list);
    expect(swap.code, swap.output).toBe(EXIT.ok);
    expect(await namesNow(t)).toEqual({ a: 'Bonn', b: 'Aachen' });
  },
);

it.each([{}, { SINK_RECORD: 'false' }])(
  'a refused record keeps its unique value, also from another record that wants it (%j)',
  async (record) => {
    await using t = await setup(BOTH);
    const list = { SINK_COLUMNS: 'name text, pages bigint', MAX_REJECTED: '2', ...record };
    await run(t, 'sync', list);
    await t.query('CREATE UNIQUE INDEX ON cities (name); ALTER TABLE cities ADD CHECK (pages < 10)');
    const before = await t.md5();
    t.source.put(
      { ...AACHEN, name: 'Bonn', updated_at: at() },
      { ...BONN, name: 'Celle', pages: 100, updated_at: at() },
    );
    const sync = await run(t, 'sync', list);
    expect(sync.code, sync.output).toBe(EXIT.ok);
    expect(sync.report?.failed_items?.map(({ id }) => id).toSorted()).toEqual(['a', 'b']);
    expect(await t.md5()).toBe(before);
  },
);

describe('a publication of the table', () => {
  const publish = 'CREATE PUBLICATION ours FOR TABLE cities';

  it('needs new columns from the owner, since a subscriber stops at one that it lacks', async () => {
    await using t = await setup(BOTH);
    await run(t, 'sync', {});
    await t.query(publish);
    const statement = 'ALTER TABLE "public"."cities" ADD COLUMN "name" text';
    expect(await run(t, 'sync', NAMES)).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining(statement) as string,
    });
    expect(await columnsOf(t)).not.toContain('name');
    await t.query(statement);
    expect(await run(t, 'sync', NAMES)).toMatchObject({ code: EXIT.ok });
    expect(await namesNow(t)).toEqual({ a: 'Aachen', b: 'Bonn' });
    expect(await run(t, 'sync', { SINK_DROP_COLUMNS: 'name' })).toMatchObject({ code: EXIT.ok });
  });

  it('with a list of columns has no new ones', async () => {
    await using t = await setup(BOTH);
    await run(t, 'sync', {});
    await t.query(`${publish} (id, record)`);
    expect(await run(t, 'sync', NAMES)).toMatchObject({ code: EXIT.ok });
  });
});

it('the first list of a database waits for no job of another target', async () => {
  await using t = await setup(BOTH);
  await run(t, 'sync', {});
  await run(t, 'sync', { SINK_TABLE: 'others', SYNCRATOR_TARGET: 'others' });
  const other = new Client({ connectionString: t.sinkUrl });
  await other.connect();
  try {
    await other.query(`BEGIN; UPDATE syncrator.sinks SET claimed_at = now() WHERE table_name = 'others'`);
    expect(await run(t, 'sync', { ...NAMES, SYNCRATOR_TARGET: 'cities' })).toMatchObject({ code: EXIT.ok });
  } finally {
    await other.end();
  }
}, 20_000);

it('a rollback restores columns of any name, also without the column record', async () => {
  await using t = await setup();
  const names = ['r', 'n', 'l', 'new', 'e', 'c', 'select', 'then', 'Größe', "a 'b", '$1', 'ä'.repeat(31)];
  const fields = (version: string) => Object.fromEntries(names.map((name) => [name, `${name} ${version}`]));
  const list = { SINK_COLUMNS: names.map((name) => `"${name}" text`).join(', '), SINK_RECORD: 'false' };
  t.source.put({ id: 'a', updated_at: OLD, ...fields('1') }, { id: 'b', updated_at: OLD, ...fields('1') });
  await run(t, 'sync', list);
  const before = await t.md5();
  t.source.put({ id: 'a', updated_at: at(), ...fields('2') });
  t.source.rows.delete('b');
  await run(t, 'sync', list);
  expect(await t.md5()).not.toBe(before);
  expect(await run(t, 'rollback', list)).toMatchObject({ code: EXIT.ok });
  expect(await t.md5()).toBe(before);
});

it('jobs read their own times in a database with another style of dates', async () => {
  await using t = await setup(BOTH);
  await t.query(`ALTER DATABASE ${new URL(t.sinkUrl).pathname.slice(1)} SET DateStyle = 'German'`);
  await run(t, 'sync', NAMES);
  t.source.put({ ...BONN, name: 'Berlin', updated_at: at() });
  expect(await run(t, 'delta', NAMES)).toMatchObject({ code: EXIT.ok, report: { updated: 1 } });
  expect(t.source.requests.at(-1)).toHaveProperty('updated_since');
  expect(await run(t, 'sync', NAMES)).toMatchObject({ code: EXIT.ok });
  expect(await run(t, 'rollback', NAMES)).toMatchObject({ code: EXIT.ok });
});
