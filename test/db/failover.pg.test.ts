/**
 * A real standby is promoted and takes over the address while the old server still answers: nothing is lost, and
 * the system recovers quickly.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DebianPostgres, startDebianPostgres } from '../support/debian-postgres.ts';
import { login } from '../support/login.ts';
import { type MovingAddress, startMovingAddress } from '../support/moving-address.ts';
import { type System, params, startSystem } from '../support/system.ts';

let primary: DebianPostgres;
let standby: DebianPostgres;
let address: MovingAddress;
let system: System;
const undo = new AsyncDisposableStack();

beforeAll(async () => {
  primary = undo.use(await startDebianPostgres());
  address = undo.use(await startMovingAddress(primary.port));
  await primary.run('createdb', 'syncrator');
  const databaseUrl = address.at(primary.url('syncrator'));
  system = undo.use(await startSystem({ databaseUrl, params: [params('a', 'sync', 'ends=0')] }));
  await system.startApi();
  await system.startWorker();
  standby = undo.use(await primary.startStandby());
}, 120_000);
afterAll(() => undo.disposeAsync(), 60_000);

async function on<R extends pg.QueryResultRow>(server: DebianPostgres, text: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: server.url('syncrator'), query_timeout: 20_000 });
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

async function post() {
  const answer = await fetch(`${system.apiUrl}/sync/a/dev`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}` },
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await answer.json()) as { code?: string; job_id?: number };
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ...body };
}

let known: string | undefined;
const token = async () => (known ??= await login(system.apiUrl));
const ready = async () =>
  (await (
    await fetch(`${system.apiUrl}/health/ready`, { signal: AbortSignal.timeout(10_000) })
  ).json()) as object;

test('calls meet 503 with Retry-After until the standby is promoted, then work at once, and no job is lost or doubled', {
  timeout: 120_000,
}, async () => {
  const accepted = new Set<number>();
  // Several pooled connections, each of which may lead to the old server.
  for (const { status, job_id: id = 0 } of await Promise.all(Array.from({ length: 12 }, post))) {
    expect([200, 202]).toContain(status);
    accepted.add(id);
  }
  await Promise.all([...accepted].map((id) => system.until(id, 'completed')));
  expect(await ready()).toEqual({ status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' });

  await on(primary, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await on(primary, 'SELECT pg_reload_conf()');
  await expect
    .poll(ready)
    .toEqual({ status: 'degraded', postgres: 'read_only', temporal: 'ok', params: 'ok' });
  const refused = await Promise.all(Array.from({ length: 12 }, post));
  for (const one of refused)
    expect(one).toMatchObject({ status: 503, code: 'postgres_read_only', retryAfter: '2' });

  const [lsn] = await on<{ lsn: string }>(primary, 'SELECT pg_current_wal_lsn() AS lsn');
  await expect
    .poll(async () => (await on(standby, `SELECT pg_last_wal_replay_lsn() >= '${lsn?.lsn}' AS there`))[0])
    .toEqual({ there: true });
  await on(standby, 'SELECT pg_promote()');
  address.moveTo(standby.port);
  const moved = performance.now();
  for (let next = await post(); ; next = await post()) {
    expect([200, 202, 503]).toContain(next.status);
    if (next.status !== 503) {
      accepted.add(next.job_id ?? 0);
      break;
    }
    expect(performance.now() - moved).toBeLessThan(10_000);
    await wait(250);
  }
  const last = Math.max(...accepted);
  const status = async () => (await system.call('GET', `/jobs/${last}`)).body['status'];
  await expect.poll(status, { timeout: 30_000 }).toBe('completed');
  expect(await ready()).toEqual({ status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' });
  const jobs = await on<{ id: number }>(standby, 'SELECT id::int FROM jobs ORDER BY id');
  expect(jobs.map(({ id }) => id)).toEqual([...accepted].toSorted((a, b) => a - b));
  // The new server notifies of changes, too.
  const told = () => on(standby, `SELECT FROM pg_stat_activity WHERE application_name = 'syncrator-listen'`);
  await expect.poll(async () => (await told()).length, { timeout: 10_000 }).toBe(1);
});

test('an ended session or a crash in the middle of calls causes 503 at worst, and passes', {
  timeout: 120_000,
}, async () => {
  const statuses: number[] = [];
  let over = false;
  const calling = (async () => {
    while (!over) statuses.push(...(await Promise.all([post(), post()])).map(({ status }) => status));
  })();
  for (let round = 0; round < 5; round++) {
    await on(
      standby,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'syncrator%'`,
    );
    await wait(200);
  }
  const sessions = () =>
    on<{ pid: number }>(
      standby,
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'syncrator-listen'`,
    );
  await expect.poll(async () => (await sessions()).length).toBe(1);
  const [victim] = await sessions();
  if (!victim) throw new Error('nobody listens');
  process.kill(victim.pid, 'SIGKILL'); // Postgres ends every session (57P02) and recovers (57P03)
  await expect.poll(async () => (await post()).status, { timeout: 30_000 }).not.toBe(503);
  over = true;
  await calling;
  expect([...new Set(statuses)].filter((status) => ![200, 202, 503].includes(status))).toEqual([]);
  await expect.poll(async () => (await post()).status, { timeout: 30_000 }).toBeLessThan(203);
});
