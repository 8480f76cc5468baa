/** A changed list of SINK_COLUMNS changes the live table with the next sync, and never loses values without a word. */
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { FakeRow } from '../../support/fake-source.ts';
import { setup, type Setup } from '../../support/setup.ts';
import { uidOf } from '../../support/attempt.ts';

const at = (): string => new Date().toISOString();
const ROWS: FakeRow[] = [
  { id: 'a', updated_at: '2025-01-01T00:00:00Z', name: 'Aachen', pages: 1 },
  { id: 'b', updated_at: '2025-01-01T00:00:00Z', name: 'Bonn', pages: 2 },
];
const INSTEAD = { SINK_RECORD: 'false' };

const BLOCKED = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

let count = 0;
/** Runs a job of its own; `job` is its number. */
async function run(t: Setup, action: string, environment: Record<string, string>) {
  count += 1;
  const { code, output } = await t.run(`${action} --api_job_id ${count}`, {
    SYNCRATOR_JOB_UID: uidOf(count),
    ...environment,
  });
  return { code, output, job: count, report: t.receiver.reports.at(-1) };
}

async function columnsOf(t: Setup): Promise<string[]> {
  const rows = await t.query<{ name: string }>(
    `SELECT attname || ' ' || format_type(atttypid, atttypmod) AS name FROM pg_attribute
     WHERE attrelid = 'cities'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
  );
  return rows.map(({ name }) => name).filter((name) => !/^(id|updated_at) /.test(name));
}

async function valuesOf(t: Setup, column: string): Promise<unknown[]> {
  const rows = await t.query<{ value: unknown }>(
    `SELECT to_jsonb(${column}) AS value FROM cities ORDER BY id`,
  );
  return rows.map(({ value }) => value);
}

describe('a list that gains a column', () => {
  it('is filled from the records, is no update, and leaves dependent objects alone', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    await t.query('CREATE VIEW names AS SELECT id, record FROM cities');
    await t.query(`CREATE INDEX by_name ON cities ((record->>'name'))`);
    const [before] = await t.query<object>(`SELECT oid, relacl FROM pg_class WHERE relname = 'cities'`);
    const list = { SINK_COLUMNS: 'name text, pages bigint', SYNCRATOR_MAX_UPDATE_PERCENT: '1' };
    for (const action of ['delta', 'delete', 'rollback'])
      expect(await run(t, action, list)).toMatchObject({
        code: EXIT.failed,
        output: expect.stringContaining('adds name text, pages bigint. Run a sync first') as string,
      });
    expect(await columnsOf(t)).toEqual(['record jsonb']);
    const sync = await run(t, 'sync', list);
    expect(sync).toMatchObject({ code: EXIT.ok, report: { updated: 0, added: 0 } });
    expect(await columnsOf(t)).toEqual(['name text', 'pages bigint', 'record jsonb']);
    expect(await valuesOf(t, 'pages')).toEqual([1, 2]);
    expect(await t.query('SELECT oid, relacl FROM pg_class WHERE relname = $1', ['cities'])).toEqual([
      before,
    ]);
    expect(await t.query('SELECT count(*)::int FROM names')).toEqual([{ count: 2 }]);
    expect(await run(t, 'delta', list)).toMatchObject({ code: EXIT.ok });
  });

  it('lets a rollback go back to before it, where the records are kept', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    t.source.put({ id: 'a', updated_at: at(), name: 'Ahaus', pages: 7 });
    const list = { SINK_COLUMNS: 'pages bigint, name text' };
    const { job } = await run(t, 'sync', list);
    expect(await valuesOf(t, 'name')).toEqual(['Ahaus', 'Bonn']);
    expect(await run(t, `rollback --before ${job}`, list)).toMatchObject({ code: EXIT.ok });
    expect(await valuesOf(t, 'name')).toEqual(['Aachen', 'Bonn']);
    expect(await valuesOf(t, 'pages')).toEqual([1, 2]);
  });

  it('refuses a rollback to records that do not fit it', async () => {
    await using t = await setup([{ ...ROWS[0], pages: 'many' } as FakeRow, ROWS[1] as FakeRow]);
    await run(t, 'sync', {});
    t.source.put({ id: 'a', updated_at: at(), name: 'Ahaus', pages: 7 });
    const list = { SINK_COLUMNS: 'pages bigint' };
    const { job } = await run(t, 'sync', list);
    expect(await run(t, `rollback --before ${job}`, list)).toMatchObject({
      code: EXIT.nothingToRollBack,
      output: expect.stringContaining('1 of the earlier records do not fit') as string,
    });
    expect(await valuesOf(t, 'pages')).toEqual([7, 2]);
  });

  it('is filled from the listing without the column record, and begins a new history', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', { SINK_COLUMNS: 'name text', ...INSTEAD });
    const list = { SINK_COLUMNS: 'pages integer, name text', ...INSTEAD };
    const { job, ...sync } = await run(t, 'sync', list);
    expect(sync).toMatchObject({ code: EXIT.ok, report: { updated: 0, added: 0 } });
    expect(await columnsOf(t)).toEqual(['name text', 'pages integer']);
    expect(await valuesOf(t, 'pages')).toEqual([1, 2]);
    expect(await run(t, `rollback --before ${job}`, list)).toMatchObject({
      code: EXIT.nothingToRollBack,
      output: expect.stringContaining('its columns changed') as string,
    });
  });

  it('is not seen by readers if the delete guard refuses the sync', async () => {
    await using t = await setup(
      Array.from({ length: 20 }, (_, nth) => ({ id: `r${nth}`, updated_at: at(), name: `${nth}` })),
    );
    await run(t, 'sync', {});
    const all = [...t.source.rows.values()];
    t.source.rows.clear();
    expect(await run(t, 'sync', { SINK_COLUMNS: 'name text' })).toMatchObject({ code: EXIT.deleteGuard });
    expect(await columnsOf(t)).not.toContain('name text');
    expect(await run(t, 'delta', {})).toMatchObject({ code: EXIT.ok });
    t.source.put(...all);
    expect(await run(t, 'sync', { SINK_COLUMNS: 'other text' })).toMatchObject({ code: EXIT.ok });
    expect(await columnsOf(t)).toEqual(['other text', 'record jsonb']);
  });

  it('takes an empty column of the owner, and refuses one with values or another type', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    await t.query('ALTER TABLE cities ADD name text, ADD pages int, ADD note text');
    expect(await run(t, 'sync', { SINK_COLUMNS: 'pages bigint' })).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('column pages of type integer that Syncrator did not make') as string,
    });
    await t.query(`UPDATE cities SET note = 'mine'`);
    expect(await run(t, 'sync', { SINK_COLUMNS: 'note text' })).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('values that Syncrator did not write') as string,
    });
    expect(await run(t, 'sync', { SINK_COLUMNS: 'name text' })).toMatchObject({ code: EXIT.ok });
    expect(await valuesOf(t, 'name')).toEqual(['Aachen', 'Bonn']);
  });
});

describe('a list that loses a column', () => {
  it.each([
    ['beside the record', {}],
    ['instead of it', INSTEAD],
  ])('is refused until the setting allows it, %s', async (_, record) => {
    await using t = await setup(ROWS);
    await run(t, 'sync', { SINK_COLUMNS: 'name text, pages integer', ...record });
    const list = { SINK_COLUMNS: 'name text', ...record };
    const md5 = await t.md5();
    expect(await run(t, 'sync', list)).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('SINK_DROP_COLUMNS=pages') as string,
    });
    expect(await t.md5()).toEqual(md5);
    await t.query('CREATE VIEW counted AS SELECT pages FROM cities');
    const drop = { ...list, SINK_DROP_COLUMNS: 'pages' };
    expect(await run(t, 'sync', drop)).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('on view counted uses it') as string,
    });
    await t.query('DROP VIEW counted');
    expect(await run(t, 'sync', drop)).toMatchObject({ code: EXIT.ok });
    expect(await columnsOf(t)).not.toContain('pages integer');
    expect(await valuesOf(t, 'name')).toEqual(['Aachen', 'Bonn']);
    expect(await run(t, 'delta', list)).toMatchObject({ code: EXIT.ok });
  });

  it('may lose all of them, and needs no permission for a column that its owner has dropped', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', { SINK_COLUMNS: 'name text, pages bigint' });
    await t.query('ALTER TABLE cities DROP pages');
    expect(await run(t, 'sync', {})).toMatchObject({ code: EXIT.notConfigured });
    expect(await run(t, 'sync', { SINK_DROP_COLUMNS: 'name' })).toMatchObject({ code: EXIT.ok });
    expect(await columnsOf(t)).toEqual(['record jsonb']);
    expect(await run(t, 'delta', {})).toMatchObject({ code: EXIT.ok });
  });

  it('may lose the column record, and get it back', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    const list = { SINK_COLUMNS: 'name text', ...INSTEAD };
    expect(await run(t, 'sync', list)).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('SINK_DROP_COLUMNS=record') as string,
    });
    t.source.put({ id: 'c', updated_at: at(), name: 'Celle' });
    expect(await run(t, 'sync', { ...list, SINK_DROP_COLUMNS: 'record' })).toMatchObject({
      code: EXIT.ok,
      report: { added: 1, updated: 0 },
    });
    expect(await columnsOf(t)).toEqual(['name text']);
    expect(await valuesOf(t, 'name')).toEqual(['Aachen', 'Bonn', 'Celle']);
    t.source.rows.delete('b');
    expect(await run(t, 'sync', { SINK_COLUMNS: 'name text' })).toMatchObject({
      code: EXIT.ok,
      report: { deleted: 1, updated: 0 },
    });
    expect(await valuesOf(t, 'record')).toEqual([{ name: 'Aachen', pages: 1 }, { name: 'Celle' }]);
  });
});

describe('a list that changes a type', () => {
  it('drops and fills the column anew, once the setting allows it', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', { SINK_COLUMNS: 'pages integer' });
    await t.query('ALTER TABLE cities ALTER pages SET NOT NULL');
    const list = { SINK_COLUMNS: 'pages numeric(5,1)' };
    expect(await run(t, 'sync', list)).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('of type integer, and SINK_COLUMNS lists it as numeric(5,1)') as string,
    });
    t.source.put({ id: 'c', updated_at: at(), name: 'Celle', pages: 2.5 });
    expect(await run(t, 'sync', { ...list, SINK_DROP_COLUMNS: 'pages' })).toMatchObject({ code: EXIT.ok });
    expect(await columnsOf(t)).toEqual(['pages numeric(5,1)', 'record jsonb']);
    expect(await valuesOf(t, 'pages::text')).toEqual(['1.0', '2.0', '2.5']);
  });
});

describe('the lock of the table', () => {
  it('is tried for a moment only: readers go on, and the job names the session that holds it', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    const reader = new Client({ connectionString: t.sinkUrl, application_name: 'long report' });
    await reader.connect();
    try {
      await reader.query('BEGIN; SELECT FROM cities');
      const job = run(t, 'sync', { SINK_COLUMNS: 'name text' });
      let longest = 0;
      let ended = false;
      void job.finally(() => (ended = true));
      while (!ended) {
        const began = Date.now();
        await t.query('SELECT count(*) FROM cities');
        longest = Math.max(longest, Date.now() - began);
      }
      expect(await job).toMatchObject({
        code: EXIT.sinkBusy,
        output: expect.stringMatching(/session \d+ \(long report, .*use cities, whose columns are to change/),
      });
      expect(longest).toBeLessThan(1_500);
      await reader.query('COMMIT');
    } finally {
      await reader.end();
    }
    expect(await run(t, 'sync', { SINK_COLUMNS: 'name text' })).toMatchObject({ code: EXIT.ok });
  });

  it('needs the owner, and the error has the statement for him', async () => {
    await using t = await setup(ROWS);
    await run(t, 'sync', {});
    const role = `writer_${crypto.randomUUID().slice(0, 8)}`;
    await t.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    try {
      await t.query(`GRANT USAGE, CREATE ON SCHEMA syncrator TO ${role}`);
      await t.query(`GRANT ALL ON ALL TABLES IN SCHEMA syncrator TO ${role}`);
      await t.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON cities TO ${role}`);
      const list = { SINK_COLUMNS: 'name text' };
      const url = new URL(t.sinkUrl);
      url.username = role;
      url.password = 'x';
      const refused = await run(t, 'sync', { ...list, SINK_URL: url.href });
      const statement = 'ALTER TABLE "public"."cities" ADD COLUMN "name" text';
      expect(refused).toMatchObject({
        code: EXIT.sinkPermission,
        output: expect.stringContaining(statement) as string,
      });
      await t.query(statement);
      expect(await run(t, 'sync', { ...list, SINK_URL: url.href })).toMatchObject({ code: EXIT.ok });
      expect(await valuesOf(t, 'name')).toEqual(['Aachen', 'Bonn']);
    } finally {
      await t.query(`DROP OWNED BY ${role}`);
      await t.query(`DROP ROLE ${role}`);
    }
  });
});

it('a run that waits for the fence sees the columns that the run before it has changed', async () => {
  await using t = await setup(ROWS);
  await run(t, 'sync', { SINK_COLUMNS: 'name text' });
  await run(t, 'sync', { SINK_DROP_COLUMNS: 'name' });
  const before = new Client({ connectionString: t.sinkUrl });
  await before.connect();
  try {
    await before.query('BEGIN; SELECT FROM syncrator.sinks FOR UPDATE');
    const waiting = run(t, 'delta', {});
    await expect.poll(() => t.query(BLOCKED), { timeout: 10_000 }).toHaveLength(1);
    await before.query(`ALTER TABLE cities ADD name text;
      INSERT INTO syncrator.sink_columns SELECT id, '{name}', true FROM syncrator.sinks; COMMIT`);
    expect(await waiting).toMatchObject({
      code: EXIT.notConfigured,
      output: expect.stringContaining('cities has the column name, and SINK_COLUMNS lacks it') as string,
    });
  } finally {
    await before.end();
  }
});
