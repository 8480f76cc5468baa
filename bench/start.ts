/** Measures `npm start`: seconds to `ready` on a second start, and the memory of api and worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readDataLock } from '../src/embedded/data-lock.ts';
import { freePort } from '../src/embedded/ports.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { endProcess, identify } from '../src/embedded/process-identity.ts';
import { startTemporal } from '../src/embedded/temporal.ts';
import type { Figure } from './figure.ts';
import { residentMiB } from './process-use.ts';

export const group = 'start';

const START_LIMIT_MS = 120_000;

type Memory = { readonly api: number; readonly worker: number };

/** Starts the product once from an empty data folder, then again for each sample. */
export async function run(options: { once: boolean }): Promise<Figure[]> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-bench-start-'));
  const rounds = options.once ? 1 : 5;
  const seconds: number[] = [];
  const servers: number[] = [];
  const bare: number[] = [];
  const memory: Memory[] = [];
  try {
    await startOnce(dataDir);
    for (let round = 0; round < rounds; round++) {
      const started = await startOnce(dataDir);
      seconds.push(started.seconds);
      memory.push(started.memory);
      servers.push(await startServersOnce(dataDir));
      bare.push(await bareNode());
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  const mib = (name: keyof Memory): Figure => ({
    bench: `start: resident memory of the ${name}, idle`,
    unit: 'MiB',
    ours: memory.map((sample) => sample[name]),
    raw: bare,
    bound: name === 'api' ? 'ours < 200 MiB' : 'ours < 300 MiB',
  });
  return [
    {
      bench: 'start: npm start to ready, second start (raw: Postgres and Temporal alone)',
      unit: 's',
      ours: seconds,
      raw: servers,
      bound: 'ours < 10 s',
    },
    mib('api'),
    mib('worker'),
  ];
}

async function startOnce(dataDir: string): Promise<{ seconds: number; memory: Memory }> {
  const began = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: path.join(import.meta.dirname, '..'),
    // Set but empty, so that a developer's .env cannot name other servers.
    env: {
      ...process.env,
      DATABASE_URL: '',
      TEMPORAL_ADDRESS: '',
      SYNCRATOR_DATA: dataDir,
      PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    await readyLine(child);
    const seconds = (performance.now() - began) / 1_000;
    return { seconds, memory: { api: partMemory(dataDir, 'api'), worker: partMemory(dataDir, 'worker') } };
  } finally {
    const owner = readDataLock(dataDir);
    if (owner !== undefined) {
      await endProcess('npm start', owner, [
        ['SIGTERM', 60_000],
        ['SIGKILL', 5_000],
      ]);
    }
    await exited;
  }
}

async function readyLine(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('npm start has no output to read');
  const lines: string[] = [];
  const timer = setTimeout(() => child.kill('SIGTERM'), START_LIMIT_MS);
  const reader = createInterface({ input: child.stdout });
  try {
    await new Promise<void>((resolve, reject) => {
      reader.on('line', (line) => {
        lines.push(line);
        if (line.startsWith('ready http')) resolve();
      });
      reader.once('close', () =>
        reject(new Error(`npm start was not ready in time:\n${lines.slice(-15).join('\n')}`)),
      );
    });
  } finally {
    clearTimeout(timer);
  }
}

async function startServersOnce(dataDir: string): Promise<number> {
  const began = performance.now();
  const [postgres, temporal] = await Promise.all([startPostgres({ dataDir }), startTemporal({ dataDir })]);
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all([postgres.stop(), temporal.stop()]);
  return seconds;
}

async function bareNode(): Promise<number> {
  const script = "process.stdout.write('up'); setInterval(() => undefined, 60_000)";
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error('a bare node process did not start');
  const size = residentMiB(identity.pid);
  await endProcess('bare node', identity, [['SIGKILL', 5_000]]);
  return size;
}

function partMemory(dataDir: string, name: string): number {
  const part = readDataLock(dataDir)?.parts.find((entry) => entry.name === name);
  if (part === undefined) throw new Error(`the ${name} is not running`);
  return residentMiB(part.pid);
}
