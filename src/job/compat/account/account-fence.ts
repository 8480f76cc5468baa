/**
 * The fence of an account: the highest job number that has written for a user. Every transaction refuses older
 * jobs.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';

/** The written account, and the job; null for a stand-alone run, which is never refused. */
export type AccountWriter = { readonly account: string; readonly jobId: number | null };

/** Creates the table and the user's row if missing. Safe to repeat. */
export async function prepareFence(client: PoolClient, { account }: AccountWriter): Promise<void> {
  // Concurrent CREATE statements collide in the catalogue, even with IF NOT EXISTS.
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('syncrator_sink_state'))`);
  await client.query(
    'CREATE TABLE IF NOT EXISTS syncrator_sink_state (sink_table text PRIMARY KEY, highest_job_id bigint)',
  );
  await client.query('INSERT INTO syncrator_sink_state (sink_table) VALUES ($1) ON CONFLICT DO NOTHING', [
    account,
  ]);
}

/**
 * The last statement of a transaction, since it locks a row that all jobs of the user share.
 * @throws JobError `fenced`
 */
export async function checkAccountFence(
  client: PoolClient,
  { account, jobId }: AccountWriter,
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE syncrator_sink_state SET highest_job_id = coalesce($2::bigint, highest_job_id)
     WHERE sink_table = $1 AND ($2::bigint IS NULL OR coalesce(highest_job_id, 0) <= $2::bigint)`,
    [account, jobId],
  );
  if (rowCount !== 1) {
    throw new JobError(
      'fenced',
      `a newer job has written to ${account}; this run has written nothing since then`,
    );
  }
}
