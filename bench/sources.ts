/** Measures how fast and in how much memory each source is read, beside the plain tool that reads the same data. */
import { once } from 'node:events';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { onDatabase, withPostgres } from './cities-load.ts';
import type { Figure } from './figure.ts';
import { type Timed, timedProgram } from './timed-program.ts';

export const group = 'sources';

const COPY_MS = 300_000;

/** A source, and the plain tool for the same data. */
type Case = {
  readonly name: string;
  readonly tool: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Runs the plain tool. */
  readonly plain: () => Promise<unknown>;
};

export async function run({ once: short }: { once: boolean }): Promise<Figure[]> {
  const count = short ? 100_000 : 5_000_000;
  const rounds = short ? 1 : 3;
  return await withPostgres(async (postgres) => {
    const database = postgres.url('postgres');
    await onDatabase(database, (client) => client.query(places(count)));
    const figures: Figure[] = [];
    for (const one of cases(database)) {
      const ours: number[] = [];
      const raw: number[] = [];
      const memory: number[] = [];
      for (let round = 0; round < rounds; round++) {
        raw.push(count / (await secondsOf(one.plain)));
        const read = await timedProgram(['bench/read-source.ts'], one.settings);
        ours.push(count / read.seconds);
        memory.push(read.megabytes);
      }
      const into = await syncOf(one, database);
      figures.push(
        {
          bench: `${one.name}: read, beside ${one.tool}`,
          unit: 'records/s',
          ours,
          raw,
          bound: 'ours/raw >= 0.5',
        },
        {
          bench: `${one.name}: sync into Postgres, beside ${one.tool}`,
          unit: 'records/s',
          ours: [count / into.seconds],
          raw,
          bound: 'ours/raw >= 0.2',
        },
        {
          bench: `${one.name}: memory of reading ${count.toLocaleString('en')}`,
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

function cases(database: string): Case[] {
  return [
    {
      name: 'sql (Postgres)',
      tool: 'COPY … TO STDOUT',
      settings: {
        SOURCE: 'sql',
        SOURCE_URL: database,
        SOURCE_TABLE: 'places',
        SOURCE_ID: 'id',
        SOURCE_UPDATED_AT: 'updated_at',
      },
      plain: () => copyAll(database),
    },
  ];
}

/** In the order of the ids, as the source reads them; the text is thrown away. */
async function copyAll(database: string): Promise<void> {
  // Without the driver's time-out, which never ends for a COPY.
  const client = new Client({ connectionString: database });
  await client.connect();
  const text = client.query(copyTo('COPY (SELECT * FROM places ORDER BY id) TO STDOUT'));
  text.resume();
  await once(text, 'end', { signal: AbortSignal.timeout(COPY_MS) });
  await client.end();
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
