/** Sets up a run of the program: a source, a report receiver and an empty database. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from 'pg';
import { runAction } from '../../../src/job/run-action.ts';
import { parseArguments } from '../../../src/job/arguments.ts';
import { compileCache } from '../../support/compile-cache.ts';
import { createDatabase } from '../../support/database.ts';
import { type FakeReceiver, startFakeReceiver } from './fake-receiver.ts';
import { type FakeRow, type FakeSource, startFakeSource } from './fake-source.ts';

export type Ended = { readonly code: number | null; readonly output: string };

export type Setup = AsyncDisposable & {
  readonly source: FakeSource;
  readonly receiver: FakeReceiver;
  readonly sinkUrl: string;
  readonly environment: Record<string, string>;
  query<R>(sql: string, values?: unknown[]): Promise<R[]>;
  /** Runs the program in this process. */
  run(options: string, environment?: Record<string, string>, terminate?: AbortSignal): Promise<Ended>;
  /** Starts the program as a child process. */
  spawn(
    options: string[],
    environment?: Record<string, string>,
  ): { child: ChildProcess; ended: Promise<Ended> };
  /** id -> name of a table's rows; null without the table. `name`: SQL of the name. */
  names(table?: string, name?: string): Promise<Record<string, string> | null>;
  md5(table?: string): Promise<string | null>;
  /** The sink's row in our schema. */
  sink(): Promise<SinkFacts>;
  /** Number of records in the current load; null without one. */
  loaded(): Promise<number | null>;
  /** Names of the tables of a schema. */
  tables(schema?: string): Promise<string[]>;
};

export type SinkFacts = {
  job_id: string | null;
  watermark: Date | null;
  proven: boolean;
  coarse_times: boolean;
};

export async function setup(rows: readonly FakeRow[] = []): Promise<Setup> {
  const database = await createDatabase({ migrated: false });
  const source = await startFakeSource();
  const receiver = await startFakeReceiver();
  const client = new Client({ connectionString: database.url, query_timeout: 30_000 });
  await client.connect();
  source.put(...rows);
  const children: ChildProcess[] = [];
  const environment = {
    SYNCRATOR_REPORT_URL: receiver.url,
    SYNCRATOR_REPORT_TOKEN: '1.1.secret-mac',
    SYNCRATOR_ENV: 'dev',
    SYNCRATOR_TARGET: 'cities',
    SOURCE: 'ndjson',
    SOURCE_URL: source.url,
    SINK: 'postgres',
    SINK_URL: database.url,
    SINK_TABLE: 'cities',
  };
  const query = async <R>(sql: string, values?: unknown[]): Promise<R[]> =>
    (await client.query(sql, values)).rows as R[];
  const exists = async (table: string): Promise<boolean> =>
    (await query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]))[0]?.there ===
    true;

  return {
    source,
    receiver,
    sinkUrl: database.url,
    environment,
    query,
    async run(options, more = {}, terminate = new AbortController().signal) {
      const parsed = parseArguments(options.split(' '));
      if (parsed.kind !== 'run') throw new Error(parsed.text);
      let output = '';
      const code = await runAction({
        arguments: parsed.arguments,
        optionsText: options,
        environment: { ...environment, ...more },
        terminate,
        reportBudgetMs: 2_000,
        patienceMs: 1_500,
        leastBatch: 1,
        writeLine: (line) => void (output += line),
      });
      return { code, output };
    },
    spawn(options, more = {}) {
      const env = { PATH: process.env['PATH'], ...compileCache(), ...environment, ...more };
      const child = spawn(process.execPath, ['src/job/main.ts', ...options], { env });
      children.push(child);
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
      return { child, ended };
    },
    async names(table = 'cities', name = `record->>'name'`) {
      if (!(await exists(table))) return null;
      const found = await query<{ id: string; name: string }>(`SELECT id, ${name} AS name FROM ${table}`);
      return Object.fromEntries(found.map(({ id, name }) => [id, name]));
    },
    async md5(table = 'cities') {
      if (!(await exists(table))) return null;
      const [row] = await query<{ md5: string }>(
        `SELECT md5(string_agg(t::text, '|' ORDER BY id COLLATE "C")) AS md5 FROM ${table} t`,
      );
      return row?.md5 ?? null;
    },
    async sink() {
      const [row] = await query<SinkFacts>(
        'SELECT job_id::text, watermark, proven, coarse_times FROM syncrator.sinks ORDER BY id LIMIT 1',
      );
      if (!row) throw new Error('no sink was opened yet');
      return row;
    },
    async loaded() {
      if (!(await exists('syncrator.loads'))) return null;
      const [row] = await query<{ done: string }>('SELECT done FROM syncrator.loads');
      return row ? Number(row.done) : null;
    },
    async tables(schema = 'public') {
      const rows = await query<{ name: string }>(
        `SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1`,
        [schema],
      );
      return rows.map(({ name }) => name);
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      await client.end();
      await source.close();
      await receiver.close();
      await database.drop();
    },
  };
}

/** The rows' names by id, in the form of {@link Setup.names}. */
export function namesOf(rows: Iterable<FakeRow>): Record<string, string> {
  return Object.fromEntries([...rows].map(({ id, name }) => [id, String(name)]));
}
