/**
 * How fast a sync loads, beside a plain COPY of the same rows into the same kind of table in the same Postgres.
 * Ours is the load phase: HTTP from a demo source in another process, parsing, COPY in batches of 1000 with fence
 * and cursor. Raw is one COPY of text made beforehand.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { startPostgres } from '../src/embedded/postgres.ts';
import { loadEverything } from '../src/job/actions/sync.ts';
import { createPostgresSink } from '../src/job/sinks/postgres/postgres-sink.ts';
import { createNdjsonHttpSource } from '../src/job/sources/ndjson-http.ts';
import { readCities } from '../tools/demo/cities.ts';
import type { Figure } from './figure.ts';

export const group = 'load';

const ROUNDS = 5;

/** Rounds alternate, so that what else the machine does meets both sides. */
export async function run(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-bench-load-'));
  // Postgres refuses root, so it may run as another user, who must be let in.
  chmodSync(directory, 0o755);
  const postgres = await startPostgres({ dataDir: join(directory, 'pg') });
  try {
    return [await measureLoad(postgres.url('postgres'), directory)];
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The figure itself, in a database that is there. */
export async function measureLoad(database: string, directory: string): Promise<Figure> {
  const source = await forkSource(directory);
  const rows = copyText();
  const ours: number[] = [];
  const raw: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      raw.push(await plainCopy(database, rows));
      ours.push(await loadPhase(database, source.url));
    }
  } finally {
    await source.stop();
  }
  return { bench: 'load of all cities', unit: 'records/s', ours, raw, bound: 'ours/raw >= 0.3' };
}

async function loadPhase(database: string, url: string): Promise<number> {
  const stop = new AbortController().signal;
  const source = createNdjsonHttpSource({ url: `${url}/records`, stop });
  const settings = { kind: 'postgres', url: database, table: 'bench_load' } as const;
  const sink = createPostgresSink({ settings, lanes: 1, jobId: 1 });
  try {
    await sink.open();
    const load = await sink.beginLoad({ watermark: new Date(), resume: null });
    const options = { batchSize: 1000, lanes: 1, forceDelete: false };
    const start = performance.now();
    const { count } = await loadEverything({ source, sink, options, progress: () => {}, stop }, load, null);
    const seconds = (performance.now() - start) / 1000;
    await sink.dropLoad(load);
    return count / seconds;
  } finally {
    await sink.close();
  }
}

async function plainCopy(database: string, rows: { count: number; text: Buffer[] }): Promise<number> {
  const client = new Client({ connectionString: database, query_timeout: 120_000 });
  await client.connect();
  try {
    await client.query('DROP TABLE IF EXISTS bench_raw');
    await client.query(
      'CREATE TABLE bench_raw (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)',
    );
    const start = performance.now();
    await pipeline(Readable.from(rows.text), client.query(copyFrom('COPY bench_raw FROM STDIN')), {
      signal: AbortSignal.timeout(120_000),
    });
    const seconds = (performance.now() - start) / 1000;
    await client.query('DROP TABLE bench_raw');
    return rows.count / seconds;
  } finally {
    await client.end();
  }
}

function copyText(): { count: number; text: Buffer[] } {
  const cities = readCities();
  const lines = cities.map(({ id, fields }) => {
    return `${id}\t2025-01-01T00:00:00.000Z\t${JSON.stringify(fields).replaceAll('\\', '\\\\')}\n`;
  });
  const text: Buffer[] = [];
  for (let start = 0; start < lines.length; start += 1000) {
    text.push(Buffer.from(lines.slice(start, start + 1000).join('')));
  }
  return { count: cities.length, text };
}

async function forkSource(directory: string): Promise<{ url: string; stop(): Promise<void> }> {
  const { DEMO_RATE: _unlimited, ...env } = process.env;
  const child = fork(new URL('../tools/demo/source.ts', import.meta.url), {
    env: { ...env, SYNCRATOR_DATA: directory },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [
    { url: string },
  ];
  return {
    url: message.url,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
