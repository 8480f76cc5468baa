import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { lockDataFolder, readDataLock } from '../../src/embedded/data-lock.ts';
import { writeDemoTarget } from '../../src/embedded/demo-target.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { readyBlock } from '../../src/embedded/ready-block.ts';
import { isAlive } from '../../src/embedded/process-identity.ts';
import { temporalAnswers } from '../../src/embedded/temporal-answers.ts';
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

/** A stack of stand-ins on the run's Postgres and Temporal. */
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
    scripts: {
      api: standIn('api'),
      worker: standIn(changes.worker ?? 'worker'),
      demo: standIn('demo'),
      bundle: standIn('bundle'),
    },
    stopSteps: async (_, graceMs) => void said.push(graceMs === 0 ? 'steps are killed' : 'steps end'),
    backoff: { firstMs: 20, maxMs: 1_000 },
  };
  const stack = createStack(options);
  stacks.push(stack);
  return stack;
}

const events = () => readFileSync(path.join(dataDir, 'events'), 'utf8').trim().split('\n');
const mode = (file: string) => statSync(path.join(dataDir, file)).mode & 0o777;

test('the stack starts everything, and ends it in order with nothing left', async () => {
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

test.each(['::1', '127.0.0.2', '0.0.0.0'])(
  'with HOST=%s the printed address reaches the api',
  async (host) => {
    const up = await setUp({ env: { HOST: host } }).start();
    expect(await (await fetch(up.url)).text()).toBe('ok');
  },
);

test("the stack shows a child's warnings, keeps the rest in its log, and the password in neither", async () => {
  await setUp().start();
  await expect.poll(() => said).toContain('worker: warning: worth showing');
  expect(said.join()).not.toContain('only for the log file');
  const log = (name: string) => readFileSync(path.join(dataDir, 'logs', `${name}.log`), 'utf8');
  await expect.poll(() => log('worker')).toContain('only for the log file');
  expect(log('api') + said.join()).not.toContain('generated');
});

test('without addresses of servers the stack runs Postgres and Temporal itself, and ends them last', async () => {
  const stack = setUp({ env: { DATABASE_URL: '', TEMPORAL_ADDRESS: '' } });
  const { servers } = await stack.start();
  expect(servers.embedded).toHaveLength(2);
  expect(await temporalAnswers(servers.temporalAddress)).toBe(true);
  for (const url of [servers.databaseUrl, servers.demoUrl]) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    await client.connect();
    await client.end();
  }
  expect(await stack.stop()).toBe(true);
  expect(said.slice(-3)).toEqual(['demo stopped', 'Temporal stopped', 'Postgres stopped']);
  expect(await temporalAnswers(servers.temporalAddress, 500)).toBe(false);
});

test('a kill ends everything at once', async () => {
  const stack = setUp({ env: { DATABASE_URL: '', TEMPORAL_ADDRESS: '' } });
  const { servers } = await stack.start();
  const parts = readDataLock(dataDir)?.parts ?? [];
  await stack.kill();
  expect(said).toContain('steps are killed');
  await expect.poll(() => parts.filter(isAlive)).toEqual([]);
  await expect.poll(() => temporalAnswers(servers.temporalAddress, 500)).toBe(false);
  expect(events().filter((line) => line.endsWith('stops'))).toEqual([]);
});

test('a crashed child is restarted', async () => {
  await setUp().start();
  const worker = () => readDataLock(dataDir)?.parts.find((part) => part.name === 'worker')?.pid;
  const first = worker();
  if (first === undefined) throw new Error('the worker is not in the lock');
  process.kill(first, 'SIGKILL');
  await expect.poll(() => said, { timeout: 10_000 }).toContain('worker is back');
  expect(said.join('\n')).toContain('worker ended unexpectedly (SIGKILL); restarting in 0.02 s');
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
      new RegExp(
        `port ${port} on 127.0.0.1 is taken \\(PORT\\): stop the process that listens there, or .*PORT=\\d+ npm start`,
      ),
    );
    for (const name of ['METRICS_PORT', 'TEMPORAL_METRICS_PORT'])
      await expect(setUp({ env: { [name]: String(port) } }).start()).rejects.toThrow(
        `port ${port} on 127.0.0.1 is taken (${name}): `,
      );
    expect(existsSync(path.join(dataDir, 'events'))).toBe(false);
  } finally {
    holder.close();
  }
  await expect(setUp({ env: { PORT: 'web' } }).start()).rejects.toThrow('PORT "web" is not a port number');
});

test('with METRICS_PORT the worker uses the next port, and the ready block names all of them', async () => {
  const port = await freePort();
  const up = await setUp({
    env: { METRICS_PORT: String(port), TEMPORAL_METRICS_PORT: String(port + 1) },
  }).start();
  expect(up.metrics).toEqual([
    `api http://127.0.0.1:${port}/metrics`,
    `worker http://127.0.0.1:${port + 2}/metrics`,
    `the worker's Temporal SDK http://127.0.0.1:${port + 1}/metrics`,
  ]);
  expect(readyBlock(up)).toContain(`metrics:          worker http://127.0.0.1:${port + 2}/metrics\n`);
  await expect.poll(events).toContain(`api METRICS_PORT=${port}`);
  expect(events()).toContain(`worker METRICS_PORT=${port + 2}`);
});

test('the demo source keeps its port across starts', async () => {
  const port = async () => {
    const stack = setUp();
    await stack.start();
    await stack.stop();
    return events()
      .filter((line) => line.startsWith('demo DEMO_PORT='))
      .at(-1);
  };
  const first = await port();
  expect(first).toMatch(/=\d+$/);
  expect(await port()).toBe(first);
});

test('parts that start first do not take the configured ports of later ones', async () => {
  const [port, metrics] = [await freePort(), await freePort()];
  writeFileSync(path.join(dataDir, 'ports.json'), JSON.stringify({ demo: port, postgres: metrics }));
  const env = { PORT: String(port), METRICS_PORT: String(metrics), DATABASE_URL: '' };
  const up = await setUp({ env }).start();
  expect(up.url).toBe(`http://127.0.0.1:${port}`);
  expect(events()).not.toContain(`demo DEMO_PORT=${port}`);
  expect(up.servers.databaseUrl).not.toContain(`:${metrics}/`);
});

test('two variables with the same port are refused and named', async () => {
  const port = String(await freePort());
  await expect(setUp({ env: { PORT: port, METRICS_PORT: port } }).start()).rejects.toThrow(
    `METRICS_PORT and PORT both name port ${port}`,
  );
});

test('a second start on the folder is refused with the pid of the first', async () => {
  await setUp().start();
  await expect(setUp().start()).rejects.toThrow(`in use by another npm start (pid ${process.pid})`);
  expect(readDataLock(dataDir)?.parts).toHaveLength(3);
});

test('the lock of a dead owner is taken over, with the processes that it left running', () => {
  const lock = lockDataFolder(dataDir);
  const self = readDataLock(dataDir);
  const part = { name: 'api', pid: process.pid, startTime: self?.startTime ?? '' };
  lock.release();
  const dead = { pid: process.pid, startTime: 'long ago', parts: [part, { ...part, startTime: 'long ago' }] };
  writeFileSync(path.join(dataDir, 'npm-start.json'), JSON.stringify(dead));
  expect(lockDataFolder(dataDir).leftOver).toEqual([part]);
});

test('the demo settings are renewed until somebody edits them', () => {
  const file = path.join(dataDir, 'envtarget/dev-cities.env');
  const write = (port: number) =>
    writeDemoTarget(dataDir, { sourceUrl: `http://127.0.0.1:${port}`, sinkUrl: 'postgres://127.0.0.1/demo' });
  expect([write(1), write(2)]).toEqual([true, true]);
  const edited = readFileSync(file, 'utf8').replace('SINK_TABLE=cities', 'SINK_TABLE=towns');
  expect(edited).toContain(':2/records');
  writeFileSync(file, edited);
  expect(write(3)).toBe(false);
  expect(readFileSync(file, 'utf8')).toBe(edited);
});
