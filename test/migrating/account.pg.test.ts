/**
 * soukosync's document (seeds/004), from top to bottom on the running product: api, worker, process runner, sync
 * program and Postgres are real, the account's API is a stand-in over HTTP. curl runs every curl command of it;
 * lines with DIFFERENT mark deliberate differences, which docs/migrating.md explains.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AccountApi,
  API_PASSWORD,
  FIXED_TOKEN,
  NO_SUCH_NAME,
  startAccountApi,
} from '../support/account-api.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';
import { type Typed, userShell } from './user-shell.ts';

const MINUTE = { timeout: 60_000 };

let system: System;
let upstream: AccountApi;
let sink: TestDatabase;
let token: string;

/** The document's INTERVAL_SCHEDULER_SECONDS becomes SCHEDULE of the params file, read at the start like it. */
const syncFile = (more = '') => paramsFile({ target: 'account', action: 'sync', command: null, more });
const DIFF_FILE = paramsFile({ target: 'account', action: 'diff', command: null });

async function startParts(): Promise<void> {
  // PUBLIC_READS: as in the predecessor, reads need no token.
  await Promise.all([
    system.startApi({ ACCOUNT: 'account/dev', PUBLIC_READS: 'true' }),
    system.startWorker('src/worker.ts', { API_TOKEN: 'exported' }),
  ]);
  token = await login(system.apiUrl);
}

beforeAll(async () => {
  upstream = await startAccountApi();
  sink = await createDatabase({ migrated: false });
  system = await startSystem({ params: [syncFile(), DIFF_FILE] });
  await startParts();
}, 90_000);
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await sink.drop();
});

/** The settings of the document's `.env`; the program reads them at each run. */
function configure(settings: Record<string, string>): void {
  const all = {
    SOURCE: 'rest',
    ACCOUNT_API_URL: upstream.url,
    API_TIMEOUT_SECONDS: '1',
    SINK: 'postgres',
    SINK_URL: sink.url,
    ...settings,
  };
  const folder = path.join(system.dataDir, 'envtarget');
  mkdirSync(folder, { recursive: true });
  const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path.join(folder, 'dev-account.env'), lines.join(''), { mode: 0o600 });
}

const CREDENTIALS = { API_USER: 'alice', API_PASSWORD, INTERVAL_RETRY_TOKEN_SECONDS: '1' };
const AUTH = '-H "Authorization: Bearer $TOKEN"';
const user = userShell(() => ({ URL: system.apiUrl, TOKEN: token }));

/** Byte for byte the document's output, except for dates, which have the same form. */
function expectDocumented({ text }: Typed, documented: unknown): void {
  const date = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/g;
  expect(text.replaceAll(date, '"<date>"')).toBe(JSON.stringify(documented).replaceAll(date, '"<date>"'));
}

// DIFFERENT: PATCH needs a token, since it starts a job; there anybody could.
const syncall = () => user(`curl -X PATCH ${AUTH} $URL/api/syncall`);
const synlast = () => user('curl $URL/api/synlast');
const entries = async () => ((await synlast()).body as { data: unknown[] }).data.length;

const upserted = (date: string) => ({ data: '6 upserted', date, response: 'ok' });
const failed = (reason: string, date: string) => ({
  data: { __exception__: true, id: null, reason },
  date,
  response: 'error',
});
const casted = (date: string) => ({ data: 'Soukosync.Caller.cast_sync casted', date, response: 'ok' });

const FIRST = upserted('2020-08-16T11:34:23.588901Z');
const SECOND = failed('timeout', '2020-08-16T11:34:32.630631Z');
const THIRD = failed('nxdomain', '2020-08-16T11:34:37.263788Z');
const FOURTH = failed('nxdomain', '2020-08-16T11:35:17.285021Z');
const FIFTH = upserted('2020-08-16T11:35:47.295269Z');

/** Runs of the configuration's tests; the document's history begins with its first call. */
async function forget(): Promise<void> {
  await sql`TRUNCATE jobs CASCADE`.execute(system.db);
}

test('Configuration: the settings of the target count, and exported variables do not', MINUTE, async () => {
  // As there, the file takes precedence over exported variables. DIFFERENT: exported variables never count
  // (startParts exports a token), because the program gets only the settings of its own target.
  configure({});
  const told = await syncall();
  expectDocumented(told, failed('not_configured', '2020-08-16T11:34:32.630631Z'));
  expect(told.status).toBe(500);
  await forget();
});

test('Authentication: a manual token takes precedence and is not fetched', MINUTE, async () => {
  configure({ ...CREDENTIALS, API_TOKEN: FIXED_TOKEN });
  expectDocumented(await syncall(), FIRST);
  expect(upstream.count('auth')).toBe(0);
  await forget();
});

test(
  'Authentication: with credentials the token is fetched, and retried on a connection error',
  MINUTE,
  async () => {
    configure({ ...CREDENTIALS, API_TOKEN: '' });
    upstream.trouble = (where, count) => (where === 'auth' && count === 1 ? 'drop' : undefined);
    expectDocumented(await syncall(), FIRST);
    expect(upstream.count('auth')).toBe(2);
    expect(upstream.calls.find(({ path: where }) => where === 'auth')?.body).toEqual({
      grant_type: 'password',
      username: 'alice',
      password: API_PASSWORD,
      scope: 'default',
    });
    await forget();
  },
);

test('Manual: syncall, 6 upserted', MINUTE, async () => {
  const told = await syncall();
  expectDocumented(told, FIRST);
  expect(told.status).toBe(200);
});

test('Manual: syncall, timeout', MINUTE, async () => {
  upstream.trouble = () => 'stall';
  const told = await syncall();
  expectDocumented(told, SECOND);
  // DIFFERENT: 200 there. Here the status is an error, too.
  expect(told.status).toBe(504);
});

test('Manual: syncast', MINUTE, async () => {
  configure({ ...CREDENTIALS, ACCOUNT_API_URL: NO_SUCH_NAME });
  const told = await user(`curl -X PATCH ${AUTH} $URL/api/syncast`);
  expectDocumented(told, casted('2020-08-16T11:34:37.263700Z'));
  expect(told.status).toBe(200);
});

test('Manual: synlast has the first three, the cast among them', MINUTE, async () => {
  // DIFFERENT: there the cast had ended before the next line was typed; here it begins three seconds later.
  await expect.poll(entries, { timeout: 30_000, interval: 200 }).toBe(3);
  expectDocumented(await synlast(), { data: [FIRST, SECOND, THIRD] });
});

test('Manual: synlast?count=1', async () => {
  // The document writes http://localhost/api:5000/synlast?count=1, which no server could answer.
  expectDocumented(await user('curl $URL/api/synlast?count=1'), { data: [THIRD] });
  expectDocumented(await user('curl $URL/api/synlast?count=2'), { data: [SECOND, THIRD] });
});

test('Automatic: the scheduler syncs by itself; the history survives its restart', MINUTE, async () => {
  await system.endParts('src/worker.ts');
  await system.endParts('src/server.ts');
  writeParams(system.dataDir, [syncFile('SCHEDULE=every 15s\n'), DIFF_FILE]);
  await startParts();
  // DIFFERENT: there the history was lost with the process.
  expectDocumented(await user('curl $URL/api/synlast?count=3'), { data: [FIRST, SECOND, THIRD] });
  await expect.poll(entries, { timeout: 40_000, interval: 200 }).toBe(4);
  await system.call('POST', '/schedules/dev.account.sync/pause');
  expectDocumented(await synlast(), { data: [FIRST, SECOND, THIRD, FOURTH] });
});

test('Manual: syncall and synlast once the name resolves again', MINUTE, async () => {
  configure(CREDENTIALS);
  upstream.trouble = () => undefined;
  const told = await syncall();
  expectDocumented(told, FIFTH);
  expect(told.status).toBe(200);
  expectDocumented(await synlast(), { data: [FIRST, SECOND, THIRD, FOURTH, FIFTH] });
});

test('an unknown host name is answered with 502 if the call waits for the job', MINUTE, async () => {
  configure({ ...CREDENTIALS, ACCOUNT_API_URL: NO_SUCH_NAME });
  const told = await syncall();
  expectDocumented(told, THIRD);
  // DIFFERENT: 200 there.
  expect(told.status).toBe(502);
});

test('two calls at once get the same answers as single ones', MINUTE, async () => {
  configure(CREDENTIALS);
  const told = await Promise.all([syncall(), syncall()]);
  for (const one of told) expectDocumented(one, FIRST);
});

test('DIFFERENT: rows removed upstream can be removed here, too, and are counted', MINUTE, async () => {
  upstream.warehouses.pop();
  const { body } = await system.call('POST', '/diff/account/dev');
  await system.until(Number(body['job_id']), 'completed');
  expectDocumented(await user('curl $URL/api/synlast?count=1'), {
    data: [{ ...FIRST, data: '5 upserted, 1 deleted' }],
  });
});

test('no secret was stored', async () => {
  const parts = ['jobs', 'reports', 'step_logs', 'sync_jobs', 'audit'] as const;
  const rows = await Promise.all(parts.map((table) => system.db.selectFrom(table).selectAll().execute()));
  const all = JSON.stringify(rows);
  expect(all).toContain('6 upserted');
  for (const secret of [API_PASSWORD, FIXED_TOKEN, 'granted-token']) expect(all).not.toContain(secret);
});

test('DIFFERENT: CRUD of users and warehouses and WebSockets no longer exist', async () => {
  for (const route of ['users', 'users/3', 'warehouses', 'warehouses/1']) {
    expect((await user(`curl $URL/api/${route}`)).status).toBe(404);
  }
  expect((await user('curl $URL/socket/websocket')).status).toBe(404);
});
