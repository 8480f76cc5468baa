/** The sink's memory beside the data: the highest job seen (the fence), watermarks, the load in progress. */

import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';

export type SinkState = {
  readonly highest_job_id: string | null;
  readonly live_watermark: Date | null;
  readonly previous_watermark: Date | null;
  readonly loading_watermark: Date | null;
  readonly load_id: string | null;
  readonly loading_cursor: string | null;
  readonly loading_done: string;
};

/** Who writes: the sink's table name, and the job, or null for a stand-alone run without a fence. */
export type Writer = { readonly table: string; readonly jobId: number | null };

/** Makes the state table and our row where they are missing. Safe to repeat. */
export async function prepareState(client: PoolClient, { table }: Writer): Promise<void> {
  // Two programs creating it at once would collide in the catalogue, IF NOT EXISTS or not.
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('syncrator_sink_state'))`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS syncrator_sink_state (
      sink_table text PRIMARY KEY,
      highest_job_id bigint,
      live_watermark timestamptz,
      previous_watermark timestamptz,
      loading_watermark timestamptz,
      loading_job_id bigint,
      load_id uuid,
      loading_cursor text,
      loading_done bigint NOT NULL DEFAULT 0
    )`,
  );
  await client.query('INSERT INTO syncrator_sink_state (sink_table) VALUES ($1) ON CONFLICT DO NOTHING', [
    table,
  ]);
}

export async function readState(client: PoolClient, { table }: Writer): Promise<SinkState> {
  const { rows } = await client.query<SinkState>('SELECT * FROM syncrator_sink_state WHERE sink_table = $1', [
    table,
  ]);
  if (!rows[0]) throw new JobError('failed', `sink: syncrator_sink_state has no row for ${table}`);
  return rows[0];
}

/**
 * The fence: claims the state row for our job and applies `changes` in the same UPDATE. To be the last statement
 * of a transaction, since it locks the row that all batches share.
 *
 * @param changes SQL assignments with values from `$3` on
 * @param only a further condition, with values from `$3` on; not met, we are fenced too
 */
export async function claim(
  client: PoolClient,
  { table, jobId }: Writer,
  {
    changes = '',
    only = 'true',
    values = [],
  }: { changes?: string; only?: string; values?: readonly unknown[] } = {},
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE syncrator_sink_state
     SET highest_job_id = coalesce($2::bigint, highest_job_id)${changes && `, ${changes}`}
     WHERE sink_table = $1 AND ($2::bigint IS NULL OR coalesce(highest_job_id, 0) <= $2::bigint) AND (${only})`,
    [table, jobId, ...values],
  );
  if (rowCount !== 1) {
    throw new JobError('fenced', `a newer job has written to ${table}; nothing of this batch was written`);
  }
}
