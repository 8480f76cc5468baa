/** The api process: its first start, its limits, its end. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { connect } from '../../src/db/connect.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { compileCache } from '../support/compile-cache.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { SECRET } from './support.ts';

let database: TestDatabase;
let dir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  dir = await mkdtemp(path.join(os.tmpdir(), 'syncrator-server-'));
  await mkdir(path.join(dir, 'dev'));
  await writeFile(
    path.join(dir, 'dev', 'alpha-sync.public_params'),
    'TARGET=alpha\nENV=dev\nACTION_NAME=sync\nACTION=sync\nIS_TAG=latest\nOPTIONS=\n',
  );
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.drop();
  await rm(dir, { recursive: true, force: true });
});

const environment = (extra: Record<string, string> = {}) => ({
  PATH: process.env['PATH'] ?? '',
  ...compileCache(),
  DATABASE_URL: database.url,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  SYNCRATOR_SECRET: SECRET,
  JOB_PARAMS: dir,
  PORT: '0',
  ...extra,
});

const readySchema = z.strictObject({
  ready: z.literal(true),
  port: z.int(),
  adminPassword: z.string().optional(),
});
type Ready = z.infer<typeof readySchema>;

async function start(extra: Record<string, string> = {}) {
  const child = fork('src/server.ts', { env: environment(extra), silent: true, execArgv: [] });
  children.push(child);
  const said: string[] = [];
  child.stdout?.on('data', (data: Buffer) => said.push(data.toString()));
  child.stderr?.on('data', (data: Buffer) => said.push(data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.once('message', (message) => resolve(readySchema.parse(message)));
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said.join('')}`)));
  });
  return { child, ended, said, ready, url: `http://127.0.0.1:${ready.port}` };
}

async function run(file: string, args: string[], input: string, extra: Record<string, string> = {}) {
  const child = spawn(process.execPath, [file, ...args], { env: environment(extra) });
  children.push(child);
  child.stdin.end(input);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { out, err, code };
}

const login = (url: string, username: string, password: string) =>
  fetch(`${url}/login`, { method: 'POST', body: new URLSearchParams({ username, password }) });

it('the first start creates admin once, sends the password over IPC only, and stops cleanly with an open stream', async () => {
  const first = await start();
  const { adminPassword = '' } = first.ready;
  expect(adminPassword.length).toBeGreaterThanOrEqual(16);
  const answer = await login(first.url, 'admin', adminPassword);
  expect(answer.status).toBe(200);
  const { access_token } = z.object({ access_token: z.string() }).parse(await answer.json());
  const headers = { authorization: `Bearer ${access_token}` };
  const started = await fetch(`${first.url}/sync/alpha/dev`, { method: 'POST', headers });
  expect(started.status).toBe(202);
  const { job_id } = z.object({ job_id: z.int() }).parse(await started.json());
  const stream = await fetch(`${first.url}/jobs/${job_id}/logs?follow`, { headers });
  expect(stream.status).toBe(200);
  const began = Date.now();
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  // The stop does not wait for a follower, who would stay for as long as the job runs.
  expect(Date.now() - began).toBeLessThan(15_000);
  await stream.text().catch(() => '');
  expect(first.said.join('')).not.toContain(adminPassword);
  expect(first.said.join('')).not.toContain(access_token);

  const second = await start();
  expect(second.ready.adminPassword).toBeUndefined();
  second.child.disconnect();
  expect(await second.ended).toBe(0);
});

it('headers are limited', async () => {
  const { ready } = await start();
  const socket = net.connect(ready.port, '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 431 /);
});

/** Sends one request, and keeps the connection. */
async function kept(port: number, where: string) {
  const agent = new http.Agent({ keepAlive: true });
  const [answer] = (await once(http.get({ port, path: where, agent }), 'response')) as [http.IncomingMessage];
  const { socket } = answer;
  let isClosed = false;
  socket.once('close', () => {
    isClosed = true;
  });
  await text(answer);
  return { answer, isClosed: () => isClosed };
}

it('idle connections are kept for longer than proxies keep theirs, also for metrics, and do not delay a stop', async () => {
  const metricsPort = await freePort();
  const { child, ended, ready } = await start({ METRICS_PORT: String(metricsPort) });
  const all = await Promise.all([
    kept(metricsPort, '/metrics'),
    ...Array.from({ length: 20 }, () => kept(ready.port, '/health/live')),
  ]);
  for (const { answer } of all) {
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['keep-alive']).toBe('timeout=65');
  }
  const stopped = Date.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(Date.now() - stopped).toBeLessThan(5_000);
});

it('an idle connection is closed after the configured time', async () => {
  const { ready } = await start({ KEEP_ALIVE_SECONDS: '5' });
  const { answer, isClosed } = await kept(ready.port, '/health/live');
  expect(answer.headers['keep-alive']).toBe('timeout=5');
  await expect.poll(isClosed, { timeout: 15_000 }).toBe(true);
});

it('metrics are served under their own name only', async () => {
  const port = await freePort();
  await start({ METRICS_PORT: String(port) });
  const statusBy = async (host: string) => {
    const asked = http.get({ port, path: '/metrics', headers: { host }, agent: false });
    const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  expect(await statusBy('evil.example')).toBe(421);
  for (const host of ['localhost', '10.0.0.7:9464', 'prometheus-target'])
    expect(await statusBy(host)).toBe(200);
});

it('bad logins are counted by address', async () => {
  const { url } = await start();
  const answers = await Promise.all(Array.from({ length: 22 }, () => login(url, 'admin', 'wrong')));
  expect(answers.filter((a) => a.status === 429)).toHaveLength(2);
});

it('a bad params file or setting ends the process with one line', async () => {
  const bad = await mkdtemp(path.join(os.tmpdir(), 'syncrator-bad-'));
  await mkdir(path.join(bad, 'dev'));
  await writeFile(path.join(bad, 'dev', 'alpha-sync.public_params'), 'TARGET=alpha\nCOLOUR=red\n');
  const params = await run('src/server.ts', [], '', { JOB_PARAMS: bad });
  await rm(bad, { recursive: true });
  expect(params.code).toBe(1);
  expect(params.err).toMatch(/^\S+dev\/alpha-sync\.public_params:2: COLOUR: unknown key[^\n]*\n$/);
  const setting = await run('src/server.ts', [], '', { SYNCRATOR_SECRET: 'short' });
  expect([setting.code, setting.err.split('\n').length]).toEqual([1, 2]);
  expect(setting.err).toContain('SYNCRATOR_SECRET');
  const account = await run('src/server.ts', [], '', { ACCOUNT: 'souk/dev' });
  expect([account.code, account.err.split('\n').length]).toEqual([1, 2]);
  expect(account.err).toContain('ACCOUNT=souk/dev: job_params declares no sync of it');
});

it('a call that waits for its job ends when its client leaves, and when the process stops', async () => {
  const password = 'correct horse battery';
  const own = await createDatabase({ migrated: false });
  const api = await start({
    ACCOUNT: 'alpha/dev',
    LOG_LEVEL: 'debug',
    DATABASE_URL: own.url,
    SYNCRATOR_ADMIN_PASSWORD: password,
  });
  try {
    const answer = await login(api.url, 'admin', password);
    const { access_token } = z.object({ access_token: z.string() }).parse(await answer.json());
    const headers = { authorization: `Bearer ${access_token}` };
    // No worker claims the job.
    const syncall = (signal: AbortSignal | null = null) =>
      fetch(`${api.url}/api/syncall`, { method: 'PATCH', headers, signal });
    const queued = async () => {
      const jobs = await fetch(`${api.url}/jobs?status=queued`, { headers });
      return z.array(z.object({ id: z.int() })).parse(await jobs.json());
    };
    const gone = new AbortController();
    const left = syncall(gone.signal);
    await expect.poll(queued).toHaveLength(1);
    gone.abort();
    await expect(left).rejects.toThrow();
    await expect
      .poll(() => api.said.join(''), { timeout: 5_000 })
      .toMatch(/"path":"\/api\/syncall","status":202/);
    const [{ id } = { id: 0 }] = await queued();
    await fetch(`${api.url}/jobs/${id}`, { method: 'DELETE', headers });
    const waiting = syncall();
    await expect.poll(queued).toHaveLength(1);
    api.child.kill('SIGTERM');
    expect((await waiting).status).toBe(202);
    expect(await api.ended).toBe(0);
  } finally {
    api.child.kill('SIGKILL');
    await own.drop();
  }
});

it('the api serves a database that a newer version has migrated, and says so', async () => {
  (await start()).child.disconnect();
  const db = connect(database.url, { max: 1, applicationName: 'test', onError: () => undefined });
  try {
    await sql`INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(db);
    const { url, said } = await start();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(said.join('')).toMatch(/9999-later.*a newer version has migrated/);
  } finally {
    await sql`DELETE FROM kysely_migration WHERE name = '9999-later'`.execute(db);
    await db.destroy();
  }
});
