/**
 * Behind PgBouncer: with session pooling everything works, with the time-outs in force; other modes are refused
 * with a message.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connect, isDatabaseUnavailable, lastingFault } from '../../src/db/connect.ts';
import { assertOwnSessions } from '../../src/db/own-sessions.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { createDatabase } from '../support/database.ts';
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { params, SECRET, startSystem } from '../support/system.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const undo = new AsyncDisposableStack();
afterAll(() => undo.disposeAsync());

const opened = (url: string, patience?: { statementMs: number; lockMs: number }) =>
  connect(url, {
    max: 2,
    applicationName: 'test',
    onError: () => undefined,
    ...(patience ? { patience } : {}),
  });

async function errorOf(url: string): Promise<unknown> {
  const db = opened(url);
  try {
    await sql`SELECT 1`.execute(db);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await db.destroy();
  }
}

/** A process that does not serve: its exit code and its last line. */
async function endOf(script: readonly string[], databaseUrl: string) {
  const child = spawn(process.execPath, script, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      SYNCRATOR_SECRET: SECRET,
      PORT: String(await freePort()),
      LOG_LEVEL: 'error',
    },
    timeout: 40_000,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, err };
}

const PARTS = [
  ['api', ['src/server.ts'], 1],
  ['worker', ['src/worker.ts'], 1],
  ['db up', ['src/cli/main.ts', 'db', 'up'], 1],
] as const;

describe('by session', () => {
  it('api, worker, migrations and commands work unchanged, and a job completes', {
    timeout: 120_000,
  }, async () => {
    await using database = await createDatabase({ migrated: false });
    await using bouncer = await startPgBouncer(database.url, 'session');
    const databaseUrl = bouncer.through(database.url);
    await using system = await startSystem({ databaseUrl, params: [params('a', 'sync', 'ends=0')] });
    await system.startApi();
    await system.startWorker();
    const events = await system.call('POST', '/sync/a/dev');
    expect(events.status).toBe(202);
    await system.until(Number(events.body['job_id']), 'completed');
    // LISTEN has its own connection.
    const listening = async () =>
      await sql`SELECT FROM pg_stat_activity WHERE application_name = 'syncrator-listen'`.execute(system.db);
    // PgBouncer keeps a returned connection under its last name.
    await expect.poll(async () => (await listening()).rows.length).toBeGreaterThanOrEqual(1);
    const up = await endOf(['src/cli/main.ts', 'db', 'up'], databaseUrl);
    expect(up).toEqual({ code: 0, err: '' });
  });

  it('the time-outs are in force on each connection', async () => {
    await using bouncer = await startPgBouncer(inject('postgresUrl'), 'session');
    for (const [patience, expected] of [
      [undefined, { statement: '5s', idle: '10s', lock: '0' }],
      [
        { statementMs: 600_000, lockMs: 500 },
        { statement: '10min', idle: '10s', lock: '500ms' },
      ],
    ] as const) {
      const db = opened(bouncer.through(inject('postgresUrl')), patience);
      const read = () =>
        sql`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
          current_setting('idle_in_transaction_session_timeout') AS idle, pg_sleep(0.05)`.execute(db);
      for (const { rows } of await Promise.all([read(), read()])) expect(rows[0]).toMatchObject(expected);
      await db.destroy();
    }
  });

  it('api and worker wait for a Postgres that is gone, whatever PgBouncer’s words for that', async () => {
    const gone = new URL(inject('postgresUrl'));
    gone.port = String(await freePort());
    await using bouncer = await startPgBouncer(gone.href, 'session', { server_login_retry: 2 });
    for (let i = 0; i < 3; i++) {
      const error = await errorOf(bouncer.through(gone.href));
      expect([String(error), isDatabaseUnavailable(error)]).toEqual([String(error), true]);
      expect(lastingFault(error)).toBeUndefined();
    }
  });

  it('a process waits for a free slot in PgBouncer', async () => {
    await using full = await startPgBouncer(inject('postgresUrl'), 'session', {
      default_pool_size: 1,
      query_wait_timeout: 1,
    });
    const held = opened(full.through(inject('postgresUrl')));
    await held.connection().execute(async (one) => {
      await sql`SELECT 1`.execute(one);
      const error = await errorOf(full.through(inject('postgresUrl')));
      expect([String(error), isDatabaseUnavailable(error)]).toEqual(['error: query_wait_timeout', true]);
      expect(lastingFault(error)).toBeUndefined();
    });
    await held.destroy();
  });
});

describe.each(['transaction', 'statement'] as const)('by %s', (mode) => {
  let bouncer: PgBouncer | undefined;
  const through = async (url: string) => {
    bouncer ??= undo.use(await startPgBouncer(url, mode));
    return bouncer.through(url);
  };

  it.each(PARTS)('%s ends at once and names the setting to change', async (_, script, code) => {
    await using database = await createDatabase({ migrated: false });
    const end = await endOf(script, await through(database.url));
    expect(end.code).toBe(code);
    expect(end.err).toContain('DATABASE_URL: ');
    expect(end.err).toContain('pool_mode=session');
  });
});

it.each([
  ['one after the other', {}],
  ['in turn', { server_round_robin: 1, min_pool_size: 3 }],
  ['of which there is one', { default_pool_size: 1 }],
])('finds out lent sessions %s while others are busy', async (_, settings) => {
  await using bouncer = await startPgBouncer(inject('postgresUrl'), 'transaction', settings);
  const url = bouncer.through(inject('postgresUrl'));
  const others = opened(url);
  const busy = Promise.all([1, 2].map(() => sql`SELECT pg_sleep(0.2)`.execute(others)));
  await expect(assertOwnSessions(url)).rejects.toThrow('lends sessions out');
  await busy;
  await others.destroy();
});

it('a direct connection to Postgres counts as one session', async () => {
  for (let i = 0; i < 5; i++) await assertOwnSessions(inject('postgresUrl'));
});

describe('permanent errors', () => {
  const changed = (change: (url: URL) => void) => {
    const url = new URL(inject('postgresUrl'));
    change(url);
    return url.href;
  };
  it.each([
    [
      'a wrong password',
      (url: URL) => (url.password = 'not-this-one'),
      /password authentication failed.*DATABASE_PASSWORD/,
    ],
    [
      'a database that is not there',
      (url: URL) => (url.pathname = '/absent'),
      /"absent" does not exist; create/,
    ],
    ['TLS to a server without it', (url: URL) => (url.search = '?sslmode=no-verify'), /SSL.*sslmode/],
  ])('%s is reported in one line by Postgres itself', async (_, change, words) => {
    const error = await errorOf(changed(change));
    expect(isDatabaseUnavailable(error)).toBe(false);
    expect(lastingFault(error)).toMatch(words);
    expect(lastingFault(error)).not.toContain('not-this-one');
  });

  it('errors of PgBouncer, which all have the same code', async () => {
    await using bouncer = await startPgBouncer(inject('postgresUrl'), 'session');
    const absent = changed((url) => (url.pathname = '/absent'));
    expect(lastingFault(await errorOf(bouncer.through(absent)))).toMatch(/"absent" does not exist; create/);
    const refused = changed((url) => (url.search = '?options=-c%20geqo%3Doff'));
    const error = await errorOf(bouncer.through(refused));
    expect([isDatabaseUnavailable(error), lastingFault(error)]).toEqual([
      false,
      expect.stringMatching(/unsupported startup parameter.*ignore_startup_parameters/),
    ]);
  });

  it('a missing privilege ends each part at once with its exit code', { timeout: 90_000 }, async () => {
    await using database = await createDatabase({ migrated: false });
    const db = opened(database.url);
    const role = `poor_${crypto.randomUUID().slice(0, 8)}`;
    await sql.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'poor'`).execute(db);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'poor'];
    for (const [name, script, code] of PARTS) {
      const end = await endOf(script, url.href);
      expect([name, end.code]).toEqual([name, code]);
      if (name === 'db up') expect(end.err).toMatch(/^[^\n]*permission denied.*grant the role[^\n]*\n$/);
    }
    await sql.raw(`DROP ROLE ${role}`).execute(db);
    await db.destroy();
  });
});
