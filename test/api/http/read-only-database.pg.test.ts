/**
 * A Postgres that takes no writes, such as a standby: which calls are served, which are refused and how, and that
 * the api recovers by itself.
 */
/* oxlint-disable typescript/no-unsafe-member-access -- answers are untyped JSON, as for any client */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { setup } from '../support.ts';

const CLI = path.resolve(import.meta.dirname, '../../../src/cli/main.ts');

/** Affects one database; existing connections do not see it. */
async function writable(url: string, isSo: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  const database = new URL(url).pathname.slice(1);
  await client.query(`ALTER DATABASE ${database} SET default_transaction_read_only = ${isSo ? 'off' : 'on'}`);
  // The new setting applies to new connections; as after a failover, existing ones stay on the old server.
  if (!isSo)
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      database,
    ]);
  await client.end();
}

it('reads are served, writes are answered with 503 until Postgres takes them again, and no old connection is kept', async () => {
  await using api = await setup();
  const job = await api.call('POST', '/sync/alpha/dev');
  expect(job.status).toBe(202);
  await writable(api.deps.config.databaseUrl, false);
  await expect.poll(async () => (await api.call('GET', '/jobs')).status).toBe(200);
  for (const [method, where] of [
    ['POST', '/sync/beta/dev'],
    ['DELETE', `/jobs/${job.body.job_id}`],
  ] as const) {
    const answer = await api.call(method, where);
    expect([where, answer.status, answer.body.code]).toEqual([where, 503, 'postgres_read_only']);
    expect(answer.headers.get('retry-after')).toBe('2');
  }
  const ready = await api.call('GET', '/health/ready');
  expect([ready.status, ready.body]).toEqual([
    200,
    { status: 'degraded', postgres: 'read_only', temporal: 'ok', params: 'ok' },
  ]);
  await writable(api.deps.config.databaseUrl, true);
  // The first call may still use an old connection; it drops them all.
  await expect.poll(async () => (await api.call('POST', '/sync/beta/dev')).status).toBe(202);
  expect((await api.call('GET', '/health/ready')).body).toEqual({
    status: 'ok',
    postgres: 'ok',
    temporal: 'ok',
    params: 'ok',
  });
});

it('a command that needs to write reports it in one line', async () => {
  await using database = await createDatabase({ migrated: false });
  await writable(database.url, false);
  const child = spawn(process.execPath, [CLI, 'db', 'up'], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.url },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect([code, err]).toEqual([
    3,
    expect.stringMatching(
      /^syncrator: Postgres at 127\.0\.0\.1:\d+ is read-only \(a standby, or set so\): point DATABASE_URL at the primary\n$/,
    ),
  ]);
});
