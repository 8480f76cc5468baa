/** Changes to the live table: upserts of a delta, removals of a delete. */

import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { Removals, Turn } from '../sink.ts';
import { connect, inTransaction } from './connect.ts';
import { copyIds } from './copy.ts';
import type { Sinks } from './load.ts';
import { claim, readState } from './state.ts';
import { tableExists } from './tables.ts';

/** Null where nothing is live. */
export async function liveWatermark({ pool, tables, writer }: Sinks): Promise<Date | null> {
  return await inTransaction(pool, async (client) => {
    if (!(await tableExists(client, tables.live))) return null;
    return (await readState(client, writer)).live_watermark;
  });
}

/** Counts only what really changed: a record that is there already, equal, is not written. */
export async function upsert(
  { pool, tables, writer }: Sinks,
  records: readonly SourceRecord[],
  { watermark, turn }: { watermark: Date | null; turn: Turn },
): Promise<{ added: number; updated: number }> {
  return await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ added: string; updated: string }>(
      `WITH written AS (
         INSERT INTO ${tables.live} AS t (id, updated_at, record)
         SELECT DISTINCT ON (id) id, updated_at, record
         FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[]) AS incoming (id, updated_at, record)
         ORDER BY id, updated_at DESC
         ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, record = excluded.record
         WHERE (t.updated_at, t.record) IS DISTINCT FROM (excluded.updated_at, excluded.record)
         RETURNING (xmax = 0) AS inserted
       )
       SELECT count(*) FILTER (WHERE inserted) AS added, count(*) FILTER (WHERE NOT inserted) AS updated FROM written`,
      [
        records.map(({ id }) => id),
        records.map(({ updated_at }) => updated_at),
        records.map(({ record }) => JSON.stringify(record)),
      ],
    );
    await turn;
    await claim(client, writer, watermark ? { changes: 'live_watermark = $3', values: [watermark] } : {});
    return { added: Number(rows[0]?.added), updated: Number(rows[0]?.updated) };
  });
}

export async function findRemovals(
  { pool, tables }: Sinks,
  sourceIds: AsyncIterable<readonly string[]>,
): Promise<Removals> {
  const client = await connect(pool);
  try {
    if (!(await tableExists(client, tables.live))) {
      throw new JobError('failed', `${tables.name} does not exist yet; run sync first`);
    }
    await client.query('CREATE TEMP TABLE source_ids (id text NOT NULL)');
    for await (const ids of sourceIds) await copyIds(client, 'source_ids', ids);
    return await removalsFrom(client, tables.live);
  } finally {
    // Ends the session, and the temporary table with it.
    client.release(true);
  }
}

async function removalsFrom(client: PoolClient, live: string): Promise<Removals> {
  await client.query('ANALYZE source_ids');
  const counts = await client.query<{ live: string; source: string }>(
    `SELECT (SELECT count(*) FROM ${live}) AS live, (SELECT count(DISTINCT id) FROM source_ids) AS source`,
  );
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM ${live} l WHERE NOT EXISTS (SELECT FROM source_ids s WHERE s.id = l.id) ORDER BY id`,
  );
  return {
    live: Number(counts.rows[0]?.live),
    source: Number(counts.rows[0]?.source),
    ids: rows.map(({ id }) => id),
  };
}

export async function remove(
  { pool, tables, writer }: Sinks,
  ids: readonly string[],
  turn: Turn,
): Promise<number> {
  return await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(`DELETE FROM ${tables.live} WHERE id = ANY ($1)`, [ids]);
    await turn;
    await claim(client, writer);
    return rowCount ?? 0;
  });
}
