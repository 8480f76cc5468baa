/**
 * Measures how fast records load into Postgres, beside one plain COPY of the same rows into a table with a primary
 * key: the load phase alone (HTTP from a demo source in another process, checks, COPY in batches with a cursor),
 * and a whole sync of all cities of which 100 have changed (load, difference, change set, apply).
 */

import { loadListing } from '../src/job/actions/load-listing.ts';
import { sync } from '../src/job/actions/sync.ts';
import { createNdjsonHttpSource } from '../src/job/sources/ndjson-http.ts';
import {
  contextOf,
  copyText,
  forkSource,
  onDatabase,
  openedBy,
  plainCopy,
  type Rows,
  withPostgres,
} from './cities-load.ts';
import type { Figure } from './figure.ts';

export const group = 'load';

const ROUNDS = 5;
const CHANGED = 100;

/** Rounds alternate, so that other load on the machine meets both sides. */
export async function run(): Promise<Figure[]> {
  return await withPostgres(
    async (postgres, directory) => await measureLoad(postgres.url('postgres'), directory),
  );
}

/** The figures, in an existing database. */
export async function measureLoad(database: string, directory: string): Promise<Figure[]> {
  const rows = copyText();
  const source = await forkSource(directory);
  const loads: number[] = [];
  const syncs: number[] = [];
  const raw: number[] = [];
  try {
    await wholeSync(database, source.url, rows, 1);
    for (let round = 0; round < ROUNDS; round += 1) {
      raw.push(await plainCopy(database, rows));
      loads.push(await loadPhase(database, source.url, 100 + 2 * round));
      await onDatabase(database, (client) =>
        client.query(
          `UPDATE bench_sync SET record = record || '{"changed": true}' WHERE id IN (SELECT id FROM bench_sync ORDER BY id LIMIT ${CHANGED})`,
        ),
      );
      syncs.push(await wholeSync(database, source.url, rows, 101 + 2 * round));
    }
  } finally {
    await source.stop();
  }
  return [
    { bench: 'load of all cities', unit: 'records/s', ours: loads, raw, bound: 'ours/raw >= 0.6' },
    {
      bench: 'sync of all cities, 100 changed',
      unit: 'records/s',
      ours: syncs,
      raw,
      bound: 'ours/raw >= 0.35',
    },
  ];
}

async function loadPhase(database: string, url: string, job: number): Promise<number> {
  const sink = openedBy(job, database, 'bench_load');
  try {
    await sink.open();
    const context = contextOf(sourceAt(url), sink);
    const load = await sink.beginLoad({ mode: 'everything', since: null, began: new Date(), resume: null });
    const start = performance.now();
    const { count } = await loadListing(context, load, {
      read: (from, size) => context.source.changedSince(null, from, size),
      total: null,
      since: null,
    });
    const seconds = (performance.now() - start) / 1000;
    await sink.dropLoad(load);
    return count / seconds;
  } finally {
    await sink.close();
  }
}

async function wholeSync(database: string, url: string, rows: Rows, job: number): Promise<number> {
  const sink = openedBy(job, database, 'bench_sync');
  try {
    const start = performance.now();
    await sink.open();
    await sync(contextOf(sourceAt(url), sink));
    return rows.count / ((performance.now() - start) / 1000);
  } finally {
    await sink.close();
  }
}

function sourceAt(url: string) {
  return createNdjsonHttpSource({
    url: `${url}/records`,
    stop: new AbortController().signal,
    onWait: () => {},
  });
}
