/**
 * Parts that the benchmarks of loading share: a sink database, the demo source in its own process, all cities as
 * COPY text, and one sync.
 */

import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type EmbeddedPostgres, startPostgres } from '../src/embedded/postgres.ts';
import type { ActionContext } from '../src/job/actions/action.ts';
import { createPostgresSink } from '../src/job/sinks/postgres/postgres-sink.ts';
import type { Sink } from '../src/job/sinks/sink.ts';
import type { Source } from '../src/job/sources/source.ts';
import { readCities } from '../tools/demo/cities.ts';

const never = new AbortController().signal;

export async function withPostgres<T>(
  work: (postgres: EmbeddedPostgres, directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-bench-load-'));
  // As root, Postgres runs as another user, which needs access to this folder.
  chmodSync(directory, 0o755);
  const postgres = await startPostgres({ dataDir: join(directory, 'pg') });
  try {
    return await work(postgres, directory);
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Each call is a new job. */
export function openedBy(job: number, database: string, table: string): Sink {
  return createPostgresSink({
    settings: {
      kind: 'postgres',
      url: database,
      schema: null,
      table,
      stateSchema: 'syncrator',
      acceptAllTables: false,
      allowCascade: false,
      keepChangesMs: 30 * 86_400_000,
      keepChangesBytes: null,
    },
    concurrency: 1,
    writer: {
      installation: null,
      env: 'bench',
      target: table,
      jobId: job,
      jobUid: null,
      originUid: null,
      step: 0,
      attempt: 1,
      action: 'sync',
      run: randomUUID(),
    },
    stop: never,
    onWait: () => {},
    log: () => {},
  });
}

export function contextOf(source: Source, sink: Sink): ActionContext {
  return {
    source,
    sink,
    options: { batchSize: 1000, concurrency: 1, forceDelete: true, acceptJump: false },
    limits: {
      maxDeletePercent: 10,
      maxDeleteRecords: 5,
      maxUpdatePercent: null,
      maxRejected: 0,
      baseline: 'off',
    },
    watermarkMarginMs: 3_600_000,
    checkpoint: null,
    partOfDiff: false,
    progress: () => {},
    log: { info: () => {}, debug: () => {} },
    stop: never,
  };
}

export type Rows = { readonly count: number; readonly text: readonly Buffer[] };

/** The text of all cities, made before the measurement. */
export function copyText(): Rows {
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

/**
 * One COPY into a table with its primary key, as a careless program would load.
 * @returns rows a second
 */
export async function plainCopy(database: string, rows: Rows): Promise<number> {
  return await onDatabase(database, async (client) => {
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
  });
}

export async function onDatabase<T>(database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: database, query_timeout: 300_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The demo's source in its own process. */
export async function forkSource(directory: string): Promise<{ url: string; stop(): Promise<void> }> {
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
