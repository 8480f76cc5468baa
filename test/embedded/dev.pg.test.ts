import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { readDataLock } from '../../src/embedded/data-lock.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { endProcess, identify, isAlive } from '../../src/embedded/process-identity.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';

const root = path.join(import.meta.dirname, '..', '..');
let dataDir: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-dev-'));
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    const identity = child.pid === undefined || child.exitCode !== null ? undefined : identify(child.pid);
    if (identity !== undefined) await endProcess('npm start', identity, [['SIGTERM', 40_000]]);
  }
  // Leftovers of a failed test: parts and servers of a killed owner.
  const left = readDataLock(dataDir);
  if (left !== undefined) {
    for (const part of left.parts) await endProcess(part.name, part, [['SIGKILL', 5_000]]);
    for (const server of [await startPostgres({ dataDir }), await startTemporal({ dataDir })])
      await server.stop();
  }
  rmSync(dataDir, { recursive: true, force: true });
});

/** The real `npm start`, with its own data folder and port. */
async function start(): Promise<{ child: ChildProcess; output: () => string; port: number }> {
  const port = await freePort();
  const child = spawn(process.execPath, ['src/dev.ts'], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: '',
      TEMPORAL_ADDRESS: '',
      SYNCRATOR_DATA: dataDir,
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  await expect.poll(() => text, { timeout: 50_000 }).toMatch(/^ready http|cannot start/m);
  expect(text).toContain(`ready http://127.0.0.1:${port}\n`);
  return { child, output: () => text, port };
}

test('npm start serves, shows its password once, and one SIGINT ends all of it with code 0', async () => {
  const { child, output, port } = await start();
  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  expect(output().match(/^ready /gm)).toHaveLength(1);
  expect(output().match(/PASSWORD='[\w-]{20}'/g)).toHaveLength(1);
  const parts = readDataLock(dataDir)?.parts ?? [];
  expect(parts).toHaveLength(3);
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(parts.filter(isAlive)).toEqual([]);
  const order = [...output().matchAll(/(\w+) stopped$/gm)].map((match) => match[1]);
  expect(order).toEqual(['worker', 'steps', 'api', 'demo', 'Temporal', 'Postgres']);
}, 150_000);

test('api and worker end by themselves when npm start is killed, and the next start takes over the rest', async () => {
  const first = await start();
  const parts = readDataLock(dataDir)?.parts ?? [];
  const gone = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await gone;
  const own = parts.filter((part) => part.name !== 'demo');
  await expect.poll(() => own.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  const second = await start();
  expect(parts.filter(isAlive)).toEqual([]);
  expect(second.output().match(/still running from before/g)).toHaveLength(2);
}, 150_000);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  '%s to npm alone ends every part',
  async (signal) => {
    const port = await freePort();
    // As users start it: npm, its prestart script, its shell.
    const npm = spawn('npm', ['start'], {
      cwd: root,
      env: {
        ...process.env,
        DATABASE_URL: inject('postgresUrl'),
        TEMPORAL_ADDRESS: inject('temporalAddress'),
        SYNCRATOR_DATA: dataDir,
        PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(npm);
    let text = '';
    for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
    await expect.poll(() => text, { timeout: 60_000 }).toMatch(/^ready http|cannot start/m);
    const lock = readDataLock(dataDir);
    if (lock === undefined) throw new Error(text);
    npm.kill(signal);
    await expect.poll(() => [lock, ...lock.parts].filter(isAlive), { timeout: 15_000 }).toEqual([]);
    expect(readDataLock(dataDir)).toBeUndefined();
  },
  150_000,
);
