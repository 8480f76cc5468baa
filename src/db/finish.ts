/** The only writer of a claimed job's final status. */
import { sql } from 'kysely';
import type { JobOutcome } from '../domain/outcome.ts';
import { isFinal, type FinalStatus } from '../domain/status.ts';
import type { Db, Tx } from './schema.ts';
import type { JobRow } from './submit.ts';

/**
 * Ends the job, which frees its key. Call it only when no pod of the job lives. Safe to repeat; undefined when
 * another workflow has the job. A cancelled job is `deleted`, an abandoned one `failed`, unless its last step was
 * seen to complete.
 */
export async function finishJob(
  db: Db,
  input: { jobId: number; runId: string; outcome: JobOutcome },
): Promise<FinalStatus | undefined> {
  const { outcome } = input;
  const diagnosis = outcome.kind === 'failed' ? JSON.stringify(outcome.diagnosis) : null;
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<JobRow>`
      UPDATE jobs SET
        status = CASE
          WHEN ${outcome.kind} = 'completed' THEN 'completed'
          WHEN status = 'cancelling' AND NOT abandoned THEN 'deleted'
          WHEN ${outcome.kind} = 'cancelled' THEN 'deleted'
          ELSE 'failed' END,
        diagnosis = CASE WHEN status = 'cancelling' AND NOT abandoned THEN NULL ELSE ${diagnosis}::jsonb END,
        status_reason = NULL,
        status_detail = NULL,
        finished_at = now()
      WHERE id = ${input.jobId} AND run_id = ${input.runId}
        AND status IN ('starting', 'waiting', 'running', 'cancelling')
      RETURNING *`.execute(tx);
    const job = rows[0];
    if (!job) return await readFinal(tx, input);
    if (job.status === 'completed') await recordSuccess(tx, job);
    return isFinal(job.status) ? job.status : undefined;
  });
}

/** The target's last success is this job, in the transaction that completed it. */
export async function recordSuccess(tx: Tx, job: Pick<JobRow, 'id' | 'env' | 'target'>): Promise<void> {
  await sql`
    INSERT INTO targets (env, target, last_success_job_id, last_success_at)
    VALUES (${job.env}, ${job.target}, ${job.id}, now())
    ON CONFLICT (env, target) DO UPDATE SET last_success_job_id = ${job.id}, last_success_at = now()`.execute(
    tx,
  );
}

async function readFinal(db: Db, input: { jobId: number; runId: string }): Promise<FinalStatus | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('status')
    .where('id', '=', input.jobId)
    .where('run_id', '=', input.runId)
    .executeTakeFirst();
  return row && isFinal(row.status) ? row.status : undefined;
}
