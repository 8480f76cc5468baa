/**
 * Measures how much a nightly sync of all cities adds to the write-ahead log, which replicas, backups and standbys
 * carry: with 100, 1 % and all records changed, beside rewriting everything into a table with a primary key, as
 * version 0.1.0 did.
 */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { sync } from '../src/job/actions/sync.ts';
import { memorySource } from '../test/job/support/memory-source.ts';
import { readCities } from '../tools/demo/cities.ts';
import { contextOf, copyText, onDatabase, openedBy, type Rows, withPostgres } from './cities-load.ts';
import type { Figure } from './figure.ts';

export const group = 'wal';

export async function run(): Promise<Figure[]> {
  return await withPostgres(
    async (postgres) =>
      await onDatabase(postgres.url('postgres'), (client) => measure(client, postgres.url('postgres'))),
  );
}

async function measure(client: Client, database: string): Promise<Figure[]> {
  await client.query(`ALTER SYSTEM SET autovacuum = off`);
  await client.query('SELECT pg_reload_conf()');
  const rows = copyText();
  const records = readCities().map(({ id, fields }) => ({
    id,
    updated_at: '2025-01-01T00:00:00.000Z',
    record: fields,
  }));
  const source = memorySource(records);
  let job = 0;
  const runSync = async (): Promise<void> => {
    job += 1;
    const sink = openedBy(job, database, 'bench_wal');
    try {
      await sink.open();
      await sync(contextOf(source, sink));
    } finally {
      await sink.close();
    }
  };
  await runSync();
  const raw = [await walOf(client, () => writeAnew(client, rows))];
  const figures: Figure[] = [];
  for (const [words, count, most] of [
    ['100 of all cities', 100, 0.05],
    ['1 % of all cities', Math.round(records.length / 100), 0.5],
    ['all cities', records.length, 4.5],
  ] as const) {
    await runSync();
    const step = Math.floor(records.length / count);
    source.put(
      source.records.map((record, at) =>
        at % step === 0 && at / step < count
          ? { ...record, record: { ...record.record, changed: job } }
          : record,
      ),
    );
    const ours = [await walOf(client, runSync)];
    figures.push({
      bench: `log of a sync, ${words} changed`,
      unit: 'MB',
      ours,
      raw,
      bound: `ours/raw <= ${most}`,
    });
  }
  return figures;
}

/**
 * Megabytes between two positions of the log, after a checkpoint: then the first change of each page logs the whole
 * page.
 */
async function walOf(client: Client, work: () => Promise<void>): Promise<number> {
  await client.query('CHECKPOINT');
  const { rows } = await client.query<{ at: string }>('SELECT pg_current_wal_lsn() AS at');
  await work();
  const { rows: after } = await client.query<{ bytes: string }>(
    'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1) AS bytes',
    [rows[0]?.at],
  );
  return Number(after[0]?.bytes) / 1e6;
}

async function writeAnew(client: Client, rows: Rows): Promise<void> {
  await client.query(
    'CREATE TABLE bench_anew (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)',
  );
  await pipeline(Readable.from(rows.text), client.query(copyFrom('COPY bench_anew FROM STDIN')), {
    signal: AbortSignal.timeout(120_000),
  });
}
