/** Measures how fast and in how much memory each source is read, beside the plain tool that reads the same data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { connectorPrograms } from '../test/support/connector/connector-programs.ts';
import { onDatabase, withPostgres } from './cities-load.ts';
import type { Figure } from './figure.ts';
import { type Timed, timedProgram } from './timed-program.ts';

export const group = 'sources';

const COPY_MS = 300_000;

/** A source, and the plain tool for the same data. */
type Case = {
  readonly name: string;
  readonly tool: string;
  readonly count: number;
  /** The ratio to the plain tool that reading shall reach. */
  readonly least: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Runs the plain tool. */
  readonly plain: () => Promise<unknown>;
};

export async function run({ once: short }: { once: boolean }): Promise<Figure[]> {
  const count = short ? 100_000 : 5_000_000;
  const rounds = short ? 1 : 3;
  return await withPostgres(async (postgres, directory) => {
    const database = postgres.url('postgres');
    await onDatabase(database, (client) => client.query(places(count)));
    const csv = join(directory, 'places.csv');
    await copyAll(database, 'csv, HEADER', createWriteStream(csv));
    // Dates the file back: the source would wait for a younger one.
    const aMinuteAgo = Date.now() / 1000 - 60;
    utimesSync(csv, aMinuteAgo, aMinuteAgo);
    const figures: Figure[] = [];
    const connector = await fakerCase(directory, short ? 20_000 : 200_000);
    for (const one of [...cases(database, csv, count), connector]) {
      const ours: number[] = [];
      const raw: number[] = [];
      const memory: number[] = [];
      for (let round = 0; round < rounds; round++) {
        raw.push(one.count / (await secondsOf(one.plain)));
        const read = await timedProgram(['bench/read-source.ts'], one.settings);
        ours.push(one.count / read.seconds);
        memory.push(read.megabytes);
      }
      const into = await syncOf(one, database);
      figures.push(
        {
          bench: `${one.name}: read, beside ${one.tool}`,
          unit: 'records/s',
          ours,
          raw,
          bound: `ours/raw >= ${one.least}`,
        },
        {
          bench: `${one.name}: sync into Postgres, beside ${one.tool}`,
          unit: 'records/s',
          ours: [one.count / into.seconds],
          raw,
          bound: 'ours/raw >= 0.2',
        },
        {
          bench: `${one.name}: memory of reading ${one.count.toLocaleString('en')}`,
          unit: 'MB',
          ours: memory,
          raw: [],
          bound: 'ours < 400 MB',
        },
      );
    }
    return figures;
  });
}

function cases(database: string, csv: string, count: number): Case[] {
  return [
    {
      name: 'sql (Postgres)',
      tool: 'COPY … TO STDOUT',
      count,
      least: 0.5,
      settings: {
        SOURCE: 'sql',
        SOURCE_URL: database,
        SOURCE_TABLE: 'places',
        SOURCE_ID: 'id',
        SOURCE_UPDATED_AT: 'updated_at',
      },
      plain: () => copyAll(database, 'text', nothing()),
    },
    {
      name: 'files (CSV)',
      tool: 'DuckDB alone, sorted',
      count,
      least: 0.5,
      settings: {
        SOURCE: 'files',
        SOURCE_PATH: csv,
        SOURCE_FILE_COMPLETE: 'true',
        SOURCE_ID: 'id',
        SOURCE_UPDATED_AT: 'updated_at',
      },
      plain: () => sortedByDuckDb(csv),
    },
  ];
}

/** The users that airbyte-source-faker makes up, beside the connector alone. */
async function fakerCase(directory: string, count: number): Promise<Case> {
  const { 'source-faker': program } = await connectorPrograms((line) => console.error(line));
  const config = JSON.stringify({ count, seed: 7 });
  const stream = { name: 'users', json_schema: {}, supported_sync_modes: ['full_refresh'] };
  const streams = [{ stream, sync_mode: 'full_refresh', destination_sync_mode: 'overwrite' }];
  const [configFile, catalogFile] = [join(directory, 'faker.json'), join(directory, 'catalog.json')];
  writeFileSync(configFile, config);
  writeFileSync(catalogFile, JSON.stringify({ streams }));
  return {
    name: 'connector (source-faker)',
    tool: 'the connector alone',
    count,
    least: 0.8,
    settings: {
      SOURCE: 'connector',
      CONNECTOR: program,
      CONNECTOR_CONFIG: config,
      CONNECTOR_STREAM: 'users',
      SOURCE_UPDATED_AT: 'updated_at',
    },
    async plain() {
      const argv = ['read', '--config', configFile, '--catalog', catalogFile];
      const [code] = (await once(spawn(program, argv, { stdio: 'ignore' }), 'exit')) as [number | null];
      if (code !== 0) throw new Error(`${program} ended with ${code}`);
    },
  };
}

/** In the order of the ids, as the source reads them. */
async function copyAll(database: string, form: string, to: Writable): Promise<void> {
  // Without the driver's time-out, which never ends for a COPY.
  const client = new Client({ connectionString: database });
  await client.connect();
  const text = client.query(
    copyTo(`COPY (SELECT * FROM places ORDER BY id) TO STDOUT WITH (FORMAT ${form})`),
  );
  await pipeline(text, to, { signal: AbortSignal.timeout(COPY_MS) });
  await client.end();
}

function nothing(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

async function sortedByDuckDb(csv: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT * FROM read_csv('${csv}') ORDER BY id) TO '/dev/null' (FORMAT csv)`);
  connection.closeSync();
  instance.closeSync();
}

async function syncOf({ settings }: Case, database: string): Promise<Timed> {
  await onDatabase(database, (client) =>
    client.query('DROP TABLE IF EXISTS copied; DROP SCHEMA IF EXISTS syncrator CASCADE'),
  );
  const sink = { SINK: 'postgres', SINK_URL: database, SINK_TABLE: 'copied' };
  return await timedProgram(['src/job/main.ts', 'sync'], { ...settings, ...sink });
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** Rows as a register of places has them: short texts, a number, coordinates. */
function places(count: number): string {
  return `
    CREATE TABLE places (id text PRIMARY KEY, name text, country text, population integer, lat float8, lng float8,
      updated_at timestamptz NOT NULL);
    INSERT INTO places SELECT 'p' || lpad(i::text, 9, '0'), 'Town number ' || i, 'DE', i, i % 90 + 0.12345,
      i % 180 + 0.54321, timestamptz '2026-01-01T00:00Z' + i % 86400 * interval '1 s'
    FROM generate_series(1, ${count}) i;
    ANALYZE places`;
}
