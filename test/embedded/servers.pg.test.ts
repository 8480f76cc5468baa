import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
  readFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { reachableBinaries } from '../../src/embedded/postgres-reach.ts';
import { postgresUser } from '../../src/embedded/postgres-user.ts';
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

/** Starts a server in another process, kills that process, and returns the server. */
async function orphan(kind: 'postgres' | 'temporal'): Promise<{ pid: number; address: string }> {
  const owner: ChildProcess = fork(path.join(import.meta.dirname, 'owner.ts'), [kind, dataDir]);
  const [message] = (await once(owner, 'message')) as [{ pid: number; address: string }];
  const ended = once(owner, 'exit');
  owner.kill('SIGKILL');
  await ended;
  return message;
}

test('Postgres keeps its data over a restart, and its password file is private', async () => {
  const first = stopLater(await startPostgres({ dataDir, ephemeral: true }));
  await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(identify(first.pid)).toBeUndefined();
  const second = stopLater(await startPostgres({ dataDir, ephemeral: true }));
  expect(second.adopted).toBe(false);
  expect(second.url('postgres')).toBe(first.url('postgres'));
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

test('a Postgres that was itself killed starts once the last of its processes has ended', async () => {
  const first = await startPostgres({ dataDir });
  const backend = childrenOf(first.pid)[0] ?? 0;
  process.kill(backend, 'SIGSTOP');
  process.kill(first.pid, 'SIGKILL');
  await expect.poll(() => identify(first.pid)).toBeUndefined();
  const said: string[] = [];
  const second = stopLater(
    await startPostgres({
      dataDir,
      onProgress(line) {
        said.push(line);
        process.kill(backend, 'SIGCONT');
      },
    }),
  );
  expect(said).toEqual(['Postgres: waiting for the processes of a killed server to end']);
  expect(await query(second.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

function childrenOf(pid: number): number[] {
  const found = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return found.trim().split(' ').map(Number);
}

test('a server whose port is taken uses another one and reports it', async () => {
  const first = await startPostgres({ dataDir, ephemeral: true });
  await first.stop();
  const said: string[] = [];
  const holder = net.createServer().listen(first.port, '127.0.0.1');
  try {
    const second = stopLater(
      await startPostgres({ dataDir, ephemeral: true, onProgress: (line) => said.push(line) }),
    );
    expect(said).toEqual([
      `Postgres: port ${first.port} of the last start is taken, so it uses ${second.port}: change settings that name the old port`,
    ]);
  } finally {
    holder.close();
  }
});

test('a server ends when its data folder is deleted', async () => {
  const folder = path.join(dataDir, 'gone');
  chmodSync(dataDir, 0o711);
  const servers = [
    stopLater(await startPostgres({ dataDir: folder, ephemeral: true })),
    stopLater(await startTemporal({ dataDir: folder })),
  ];
  rmSync(folder, { recursive: true });
  await expect.poll(() => servers.filter(({ pid }) => identify(pid)), { timeout: 10_000 }).toEqual([]);
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
  'as root, Postgres starts below folders that its user cannot enter, and they stay closed',
  async () => {
    const closed = path.join(dataDir, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const folder = path.join(closed, 'data');
    const first = stopLater(await startPostgres({ dataDir: folder, ephemeral: true }));
    await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(statSync(closed).mode & 0o777).toBe(0o700);
    expect(await startPostgres({ dataDir: folder })).toMatchObject({ adopted: true, pid: first.pid });
    await first.stop();
    const second = stopLater(await startPostgres({ dataDir: folder, ephemeral: true }));
    expect(await query(second.url('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    rmSync(folder, { recursive: true });
    await expect.poll(() => identify(second.pid)).toBeUndefined();
  },
);

test.runIf(process.getuid?.() === 0)('programs in a closed folder are copied to an open one, once', () => {
  const user = postgresUser();
  const closed = path.join(dataDir, 'checkout/native');
  mkdirSync(path.join(closed, 'bin'), { recursive: true });
  chmodSync(dataDir, 0o711);
  chmodSync(path.join(dataDir, 'checkout'), 0o700);
  writeFileSync(path.join(closed, 'bin/postgres'), '#!/bin/sh\n', { mode: 0o700 });
  const binaries = {
    initdb: path.join(closed, 'bin/initdb'),
    postgres: path.join(closed, 'bin/postgres'),
    version: '18',
  };
  const said: string[] = [];
  const reach = () =>
    reachableBinaries(binaries, user, (line) => said.push(line), path.join(dataDir, 'shared'));
  const { postgres } = reach();
  expect(postgres).toBe(path.join(dataDir, 'shared/postgres-18/bin/postgres'));
  expect(statSync(postgres).mode & 0o777).toBe(0o755);
  expect(reach()).toMatchObject({ postgres });
  expect(said).toHaveLength(1);
  expect(reachableBinaries(binaries, undefined, () => undefined)).toBe(binaries);
  for (const folder of ['shared', 'shared/postgres-18']) {
    chmodSync(path.join(dataDir, folder), 0o777);
    expect(reach).toThrow(`other users than root can write to ${path.join(dataDir, folder)})`);
    chmodSync(path.join(dataDir, folder), 0o755);
  }
  chownSync(path.join(dataDir, 'shared'), 1, 1);
  expect(reach).toThrow('other users than root can write');
});

test('a Temporal server whose owner was killed is adopted, on the same ports', async () => {
  const left = await orphan('temporal');
  const adopted = stopLater(await startTemporal({ dataDir }));
  expect(adopted).toMatchObject({ adopted: true, pid: left.pid, address: left.address });
  await adopted.stop();
  expect(await temporalAnswers(left.address, 500)).toBe(false);
  const next = stopLater(await startTemporal({ dataDir }));
  expect(next).toMatchObject({ adopted: false, address: left.address });
});

test('a damaged state file is an error that names the file', async () => {
  const file = path.join(dataDir, 'temporal.json');
  writeFileSync(file, 'nonsense');
  await expect(startTemporal({ dataDir })).rejects.toThrow(`${file} is damaged`);
});
