import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { identify } from '../../src/embedded/process-identity.ts';
import { temporalAnswers } from '../../src/embedded/temporal-answers.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';

let dataDir: string;
const stops: Array<() => Promise<void>> = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-embedded-'));
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function stopLater<T extends { stop(): Promise<void> }>(server: T): T {
  stops.push(() => server.stop());
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a server in another process, kills that process, and returns what it had started. */
async function orphan(kind: 'postgres' | 'temporal'): Promise<{ pid: number; address: string }> {
  const owner: ChildProcess = fork(path.join(import.meta.dirname, 'owner.ts'), [kind, dataDir]);
  const [message] = (await once(owner, 'message')) as [{ pid: number; address: string }];
  const ended = once(owner, 'exit');
  owner.kill('SIGKILL');
  await ended;
  return message;
}

test('Postgres keeps its data over a restart, and its password to itself', async () => {
  const first = stopLater(await startPostgres({ dataDir, ephemeral: true }));
  await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(identify(first.pid)).toBeUndefined();
  const second = stopLater(await startPostgres({ dataDir, ephemeral: true }));
  expect(second.adopted).toBe(false);
  expect(await query(second.url('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  expect(statSync(path.join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600);
});

test('a Postgres whose owner was killed is adopted, and then stopped', async () => {
  const left = await orphan('postgres');
  const adopted = stopLater(await startPostgres({ dataDir }));
  expect(adopted).toMatchObject({ adopted: true, pid: left.pid });
  expect(adopted.url('postgres')).toBe(left.address);
  await adopted.stop();
  expect(identify(left.pid)).toBeUndefined();
});

test('a Postgres that was itself killed starts again over its stale pid file', async () => {
  const first = await startPostgres({ dataDir });
  process.kill(first.pid, 'SIGKILL');
  await expect.poll(() => identify(first.pid)).toBeUndefined();
  expect(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid'))).toBe(true);
  const second = stopLater(await startPostgres({ dataDir }));
  expect(second.adopted).toBe(false);
  expect(await query(second.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('two data folders live side by side', async () => {
  chmodSync(dataDir, 0o711);
  const folders = ['one', 'two'].map((name) => path.join(dataDir, name));
  const servers = await Promise.all(
    folders.map(async (folder) => stopLater(await startPostgres({ dataDir: folder, ephemeral: true }))),
  );
  expect(new Set(servers.map((server) => server.port)).size).toBe(2);
  const temporals = await Promise.all(
    folders.map(async (folder) => stopLater(await startTemporal({ dataDir: folder }))),
  );
  expect(new Set(temporals.map((server) => server.address)).size).toBe(2);
});

test.runIf(process.getuid?.() === 0)(
  'a folder the postgres user cannot enter is named, with the fix',
  async () => {
    const closed = path.join(dataDir, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o700);
    await expect(startPostgres({ dataDir: path.join(closed, 'data') })).rejects.toThrow(
      `chmod o+x ${dataDir}`,
    );
    chmodSync(dataDir, 0o711);
    await expect(startPostgres({ dataDir: path.join(closed, 'data') })).rejects.toThrow(
      `chmod o+x ${closed}`,
    );
  },
);

test('a Temporal server whose owner was killed is adopted, on the same ports', async () => {
  const left = await orphan('temporal');
  const adopted = stopLater(await startTemporal({ dataDir }));
  expect(adopted).toMatchObject({ adopted: true, pid: left.pid, address: left.address });
  await adopted.stop();
  expect(await temporalAnswers(left.address, 500)).toBe(false);
  const next = stopLater(await startTemporal({ dataDir }));
  expect(next).toMatchObject({ adopted: false, address: left.address });
});

test('a state file that is not ours is refused by name', async () => {
  const file = path.join(dataDir, 'temporal.json');
  writeFileSync(file, 'nonsense');
  await expect(startTemporal({ dataDir })).rejects.toThrow(`${file} is damaged`);
});
