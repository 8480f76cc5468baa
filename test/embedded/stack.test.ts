import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { lockDataFolder, readDataLock } from '../../src/embedded/data-lock.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { isAlive } from '../../src/embedded/process-identity.ts';
import { createStack, type Stack, type StackOptions } from '../../src/embedded/stack.ts';

const standIn = (name: string) => path.join(import.meta.dirname, 'stand-ins', `${name}.ts`);
const stacks: Stack[] = [];
let dataDir: string;
let said: string[];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-stack-'));
  said = [];
});

afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A stack of stand-ins on the run's own Postgres and Temporal. */
function setUp(changes: { env?: NodeJS.ProcessEnv; worker?: string } = {}): Stack {
  const options: StackOptions = {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      SYNCRATOR_DATA: dataDir,
      DATABASE_URL: inject('postgresUrl'),
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      ...changes.env,
    },
    say: (line) => said.push(line),
    scripts: { api: standIn('api'), worker: standIn(changes.worker ?? 'worker'), demo: standIn('demo') },
    stopSteps: async () => void said.push('steps end'),
    backoff: { firstMs: 20, maxMs: 1_000 },
  };
  const stack = createStack(options);
  stacks.push(stack);
  return stack;
}

const events = () => readFileSync(path.join(dataDir, 'events'), 'utf8').trim().split('\n');
const mode = (file: string) => statSync(path.join(dataDir, file)).mode & 0o777;

test('brings everything up, and ends it in order with nothing left', async () => {
  const stack = setUp();
  const up = await stack.start();
  expect(up).toMatchObject({ dataDir, adminPassword: 'generated' });
  expect(await (await fetch(up.url)).text()).toBe('ok');
  expect(mode('secret')).toBe(0o600);
  expect(mode('envtarget/dev-cities.env')).toBe(0o600);
  expect(readFileSync(path.join(dataDir, 'envtarget/dev-cities.env'), 'utf8')).toContain(
    'SOURCE_URL=http://127.0.0.1:1/records',
  );
  const parts = readDataLock(dataDir)?.parts ?? [];
  expect(parts.map((part) => part.name).sort()).toEqual(['api', 'demo', 'worker']);

  expect(await stack.stop()).toBe(true);
  expect(events().slice(-3)).toEqual(['worker stops', 'api stops', 'demo stops']);
  expect(said.filter((line) => / stopped$|^steps end/.test(line))).toEqual([
    'worker stopped',
    'steps end',
    'steps stopped',
    'api stopped',
    'demo stopped',
  ]);
  expect(parts.filter(isAlive)).toEqual([]);
  expect(readDataLock(dataDir)).toBeUndefined();
});

test("shows a child's warnings, keeps the rest in its log, and the password in neither", async () => {
  await setUp().start();
  await expect.poll(() => said).toContain('worker: warning: worth showing');
  expect(said.join()).not.toContain('only for the log file');
  const log = (name: string) => readFileSync(path.join(dataDir, 'logs', `${name}.log`), 'utf8');
  await expect.poll(() => log('worker')).toContain('only for the log file');
  expect(log('api') + said.join()).not.toContain('generated');
});

test('starts a child again that crashed', async () => {
  await setUp().start();
  const worker = () => readDataLock(dataDir)?.parts.find((part) => part.name === 'worker')?.pid;
  const first = worker();
  if (first === undefined) throw new Error('the worker is not in the lock');
  process.kill(first, 'SIGKILL');
  await expect.poll(() => said, { timeout: 10_000 }).toContain('worker is back');
  expect(said).toContain('worker ended unexpectedly (SIGKILL); starting it again in 0.02 s');
  expect(worker()).not.toBe(first);
});

test('a child that cannot start is quoted, and everything else is stopped', async () => {
  const stack = setUp({ worker: 'broken' });
  await expect(stack.start()).rejects.toThrow(
    /worker ended during start-up \(exit code 1\)\n.*cities-sync.public_params:3: unknown key OPTION/,
  );
  expect(events()).toContain('demo stops');
  expect(readDataLock(dataDir)).toBeUndefined();
});

test('a taken port is named before anything is started', async () => {
  const port = await freePort();
  const holder = net.createServer().listen(port, '127.0.0.1');
  try {
    await expect(setUp({ env: { PORT: String(port) } }).start()).rejects.toThrow(
      `port ${port} on 127.0.0.1 is taken: end what listens there, or set PORT`,
    );
    expect(existsSync(path.join(dataDir, 'events'))).toBe(false);
  } finally {
    holder.close();
  }
  await expect(setUp({ env: { PORT: 'web' } }).start()).rejects.toThrow('PORT "web" is not a port number');
});

test('a second start on the folder is refused with the pid of the first', async () => {
  await setUp().start();
  await expect(setUp().start()).rejects.toThrow(`in use by another npm start (pid ${process.pid})`);
  expect(readDataLock(dataDir)?.parts).toHaveLength(3);
});

test('the lock of a dead owner is taken over, with what it left running', () => {
  const lock = lockDataFolder(dataDir);
  const self = readDataLock(dataDir);
  const part = { name: 'api', pid: process.pid, startTime: self?.startTime ?? '' };
  lock.release();
  const dead = { pid: process.pid, startTime: 'long ago', parts: [part, { ...part, startTime: 'long ago' }] };
  writeFileSync(path.join(dataDir, 'npm-start.json'), JSON.stringify(dead));
  expect(lockDataFolder(dataDir).leftOver).toEqual([part]);
});

test("the demo settings are left alone once they are the user's", async () => {
  await setUp().start();
  const file = path.join(dataDir, 'envtarget/dev-cities.env');
  for (const stack of stacks.splice(0)) await stack.stop();
  writeFileSync(file, 'SOURCE=ndjson\n');
  await setUp().start();
  expect(readFileSync(file, 'utf8')).toBe('SOURCE=ndjson\n');
});
