/**
 * Measures the story of a record beside a `SELECT` of it by its id: as the jobs of the group left it, and after a month
 * in which a delta ran every five minutes. Reads as the program does, without its start.
 */

import type { Client } from 'pg';
import { onDatabase, openedBy } from './cities-load.ts';
import type { Figure } from './figure.ts';

const READS = 20;
/** A delta every five minutes, for the 30 days of KEEP_CHANGES. */
const DELTAS = 8_640;
/** Records that each of them changed, besides the one of the long history. */
const CHANGES = 100;

type Place = { readonly database: string; readonly table: string; readonly id: string };

/** In milliseconds. */
export async function storyFigures(place: Place, changes: string): Promise<Figure[]> {
  const short = await readsOf(place);
  await onDatabase(place.database, async (client) => await addDeltas(client, place));
  const long = await readsOf(place);
  const all = `${DELTAS.toLocaleString('en')} deltas`;
  return [
    { ...short, bench: `story of a record after ${changes}, beside a SELECT of it` },
    { ...long, bench: `story of a record that each of ${all} changed, beside a SELECT of it` },
  ].map((figure) => ({ ...figure, unit: 'ms', bound: 'ours < 1000 ms' }));
}

/** The first reads of both are not measured: they open a connection. */
async function readsOf({ database, table, id }: Place): Promise<Pick<Figure, 'ours' | 'raw'>> {
  const sink = openedBy(1, database, table);
  try {
    if (!sink.story) throw new Error('the sink tells no story');
    const tell = sink.story;
    return await onDatabase(database, async (client) => ({
      ours: await timesOf(async () => {
        if ((await tell(id)).entries.length === 0) throw new Error(`the record ${id} has no history`);
      }),
      raw: await timesOf(async () => {
        const { rows } = await client.query(`SELECT * FROM ${table} WHERE id = $1`, [id]);
        if (rows.length === 0) throw new Error(`the record ${id} is missing`);
      }),
    }));
  } finally {
    await sink.close();
  }
}

async function timesOf(read: () => Promise<void>): Promise<number[]> {
  await read();
  const times: number[] = [];
  for (let nth = 0; nth < READS; nth += 1) {
    const start = performance.now();
    await read();
    times.push(performance.now() - start);
  }
  return times;
}

/** As so many jobs would leave them. */
async function addDeltas(client: Client, { table, id }: Place): Promise<void> {
  await client.query(
    `INSERT INTO syncrator.change_sets (sink, step_key, action, state, opened_at, applied_at)
     SELECT s.id, 'bench-' || nth, 'delta', 'applied', now(), now()
     FROM syncrator.sinks s, generate_series(1, ${DELTAS}) nth WHERE s.table_name = $1`,
    [table],
  );
  await client.query(
    `INSERT INTO syncrator.changes (change_set, id, kind, old_updated_at, old_record, new_hash)
     SELECT c.id, changed.id, 'updated', l.updated_at, l.record || jsonb_build_object('nth', c.id), 0
     FROM syncrator.change_sets c
       CROSS JOIN LATERAL (SELECT $1 AS id UNION
         SELECT 'r' || lpad((c.id * 37 % 1000 * 100 + nth)::text, 9, '0') FROM generate_series(1, ${CHANGES}) nth) changed
       JOIN ${table} l ON l.id = changed.id
     WHERE c.step_key LIKE 'bench-%'`,
    [id],
  );
  await client.query('VACUUM ANALYZE syncrator.changes');
}
