/** `check` on a real source and a real Postgres: what it tells, and that it leaves nothing behind. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { parseCheck } from '../../../src/job/arguments.ts';
import { runCheck } from '../../../src/job/check/check.ts';
import type { Findings } from '../../../src/job/check/findings.ts';
import { JobError } from '../../../src/job/job-error.ts';
import { someRows } from '../support/fake-source.ts';
import { type Setup, setup } from '../support/setup.ts';

async function check(
  t: Setup,
  more: Record<string, string> = {},
  options = '',
  terminate = new AbortController().signal,
) {
  const parsed = parseCheck(['check', ...options.split(' ').filter(Boolean)]);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  const { SYNCRATOR_REPORT_URL: _, ...environment } = t.environment;
  let output = '';
  const run = async (json: boolean) => {
    output = '';
    return await runCheck({
      given: parsed.arguments,
      environment: { ...environment, ...more },
      terminate,
      json,
      write: (text) => void (output += text),
      patienceMs: 300,
    });
  };
  const code = await run(false);
  const text = output;
  expect(await run(true)).toBe(code);
  return { code, text, lines: text.trimEnd().split('\n'), findings: JSON.parse(output) as Findings };
}

const schemas = async (t: Setup) =>
  await t.query(`SELECT nspname, relname FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid
    WHERE nspname !~ '^pg_|^information_schema' ORDER BY 1, 2`);

describe('before the first sync', () => {
  it('shows the first five records after FIELDS and what a sync would do, and leaves nothing behind', async () => {
    await using t = await setup(someRows(95));
    const before = await schemas(t);
    const { code, lines } = await check(t, { FIELDS: 'rename name=title' });
    expect(code).toBe(EXIT.ok);
    expect(lines).toEqual([
      `ok      source: ${t.source.url}: 95 records; the first 5, as the sink would get them:`,
      ...[1, 2, 3, 4, 5].map(
        (nth) => expect.stringMatching(new RegExp(`^ {2}\\{"id":"r0000${nth}".*"title":`)) as string,
      ),
      expect.stringMatching(/^ok {6}sink: postgres:.*, table cities: does not exist yet$/),
      'ok      sync: the first sync creates it, and adds up to 95 records',
    ]);
    expect(await schemas(t)).toEqual(before);
    expect(t.receiver.reports).toEqual([]);
  });

  it('names every fault of source and sink in one line, each with its own exit code', async () => {
    await using t = await setup(someRows(3));
    const { code, lines } = await check(t, {
      SOURCE_URL: 'http://127.0.0.1:9/records',
      SINK_URL: t.sinkUrl.replace(/\/[^/]*$/, '/no_such_database'),
    });
    expect(code).toBe(EXIT.sourceUnreachable);
    expect(lines).toEqual([
      expect.stringMatching(/^failed {2}source: .*ECONNREFUSED/),
      expect.stringMatching(/^failed {2}sink: .*"no_such_database" does not exist; correct SINK_URL$/),
    ]);
  });

  it.each<[string, Record<string, string>, number, RegExp]>([
    [
      'a missing setting',
      { SINK_TABLE: '' },
      EXIT.notConfigured,
      /^failed {2}settings: SINK_TABLE is missing; set it in/,
    ],
    [
      'an unknown word',
      { SOURCE: 'csv' },
      EXIT.notConfigured,
      /^failed {2}settings: SOURCE=csv is unknown \(known: /,
    ],
    [
      'a setting with a password in the wrong place, without the password',
      { SOURCE: 'postgres://reader:hunter2@db.example.org/portal' },
      EXIT.notConfigured,
      /^failed {2}settings: SOURCE=postgres:\/\/<FILTERED>@db/,
    ],
    ['a source that it cannot test', { SOURCE: 'rest' }, EXIT.usage, /SOURCE=rest; start a job/],
    [
      'the environment of a job',
      { SYNCRATOR_REPORT_URL: 'http://127.0.0.1:9' },
      EXIT.usage,
      /cannot be the action of a job/,
    ],
  ])('names %s', async (_, more, exit, words) => {
    await using t = await setup(someRows(1));
    const { code, lines, findings } = await check(t, more);
    expect([code, lines]).toEqual([exit, [expect.stringMatching(words)]]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('tries the rights of the first sync, which a missing table needs', async () => {
    await using t = await setup(someRows(3));
    await t.query(`CREATE SCHEMA syncrator; CREATE ROLE ${ROLE} LOGIN PASSWORD 'x';
      GRANT CREATE, USAGE ON SCHEMA syncrator TO ${ROLE}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    try {
      const url = new URL(t.sinkUrl);
      [url.username, url.password] = [ROLE, 'x'];
      const { code, text } = await check(t, { SINK_URL: url.href });
      expect([code, text]).toEqual([
        EXIT.sinkPermission,
        expect.stringMatching(
          /^failed {2}sink: .*run: GRANT CREATE ON SCHEMA "public" TO "syncrator_test_checker"$/m,
        ),
      ]);
    } finally {
      await t.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
    }
  });
});

describe('while the table is locked', () => {
  it('keeps no first sync from beginning, and ends at once when it is told to', async () => {
    await using t = await setup(someRows(3));
    await t.query(
      'CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)',
    );
    await t.query('BEGIN; LOCK TABLE cities IN ACCESS EXCLUSIVE MODE');
    const terminate = new AbortController();
    const checked = check(t, {}, '', terminate.signal);
    const waiting = `SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND relation = 'cities'::regclass`;
    await expect.poll(() => t.query(waiting)).toEqual([{ count: 1 }]);
    const [free] = await t.query(
      `SELECT pg_try_advisory_xact_lock(4711002) AS lock, to_regnamespace('syncrator') IS NULL AS schema`,
    );
    expect(free).toEqual({ lock: true, schema: true });
    terminate.abort(new JobError('terminated', 'ended by SIGINT'));
    const { code, lines } = await checked;
    expect([code, lines.at(-1)]).toEqual([EXIT.terminated, 'failed  sink: ended by SIGINT']);
    await t.query('ROLLBACK');
  });
});

const ROLE = 'syncrator_test_checker';

describe('after a sync', () => {
  it('runs beside a job without its fence, and foretells what the delete guard does', async () => {
    await using t = await setup(someRows(40));
    await t.run('sync --api_job_id 7');
    const fence = await t.query('SELECT * FROM syncrator.sinks');
    const same = await check(t);
    expect(await t.query('SELECT * FROM syncrator.sinks')).toEqual(fence);
    expect([same.code, same.lines.at(-1)]).toEqual([
      EXIT.ok,
      'ok      sync: a sync compares 40 records of the source with 40 records of the sink, adds at least 0 records, and removes at least 0 records, which the delete guard allows',
    ]);
    for (const id of [...t.source.rows.keys()].slice(10)) t.source.rows.delete(id);
    const fewer = await check(t);
    expect([fewer.code, fewer.lines.at(-1)]).toEqual([
      EXIT.ok,
      expect.stringMatching(
        /^ok {6}sync: .* would hold at least 30 removals, which then wait for an answer: 30 of 40 records would be deleted/,
      ),
    ]);
    expect((await t.run('sync --api_job_id 8')).code).toBe(EXIT.ok);
    expect((await check(t, { SYNCRATOR_MAX_DELETE_PERCENT: '90' })).lines.at(-1)).toContain(
      'removes at least 0 records, which the delete guard allows; 30 removals wait for an answer already',
    );
    const held = await t.query('SELECT * FROM syncrator.sinks');
    expect((await check(t, { SYNCRATOR_MAX_DELETE_PERCENT: '90' })).code).toBe(EXIT.ok);
    expect((await check(t, {}, '--force-delete')).code).toBe(EXIT.ok);
    expect(await t.query('SELECT * FROM syncrator.sinks')).toEqual(held);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(40);
  });

  it('names the owner of a table that another target writes', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync', { SYNCRATOR_INSTALLATION: 'b5b1a1a1-0000-4000-8000-000000000001' });
    expect((await check(t)).code).toBe(EXIT.ok);
    const { code, text } = await check(t, { SYNCRATOR_TARGET: 'other' });
    expect([code, text]).toEqual([
      EXIT.sinkOwned,
      expect.stringMatching(/^failed {2}sink: cities belongs to target 'cities' in env 'dev'.*take it over/m),
    ]);
  });

  it('counts the records that were there before the first sync, which stay', async () => {
    await using t = await setup(someRows(3));
    await t.query(`CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL);
      INSERT INTO cities SELECT 'old' || n, now(), '{}' FROM generate_series(1, 20) n`);
    const before = await check(t);
    expect([before.code, before.lines.at(-1)]).toEqual([EXIT.ok, expect.stringContaining('removes none')]);
    await t.run('sync');
    const { findings } = await check(t);
    expect(findings.sink).toMatchObject({ live: 23, kept: 20, synced: true });
    expect(findings.forecast).toMatchObject({ refused: false });
  });
});

it('says how the next sync changes the columns, and shows records that do not fit them', async () => {
  await using t = await setup([...someRows(2), { id: 'x', updated_at: '2025-01-01T00:00:00Z', name: 7 }]);
  await t.run('sync', { SINK_COLUMNS: 'pages bigint' });
  const before = await t.query('SELECT * FROM cities ORDER BY id');
  const list = { SINK_COLUMNS: 'name text', SINK_DROP_COLUMNS: 'pages' };
  const { code, lines } = await check(t, list);
  expect(code).toBe(EXIT.ok);
  expect(lines).toContain('  a sync adds name text; drops pages');
  expect(lines).toContain(
    '  rejected: SINK_COLUMNS name text: its field is not a text; correct the record, or the type in SINK_COLUMNS',
  );
  expect(await t.query('SELECT * FROM cities ORDER BY id')).toEqual(before);
  const refused = await check(t, { SINK_COLUMNS: 'name text' });
  expect(refused.code).toBe(EXIT.notConfigured);
  expect(refused.text).toContain('SINK_DROP_COLUMNS=pages');
});
