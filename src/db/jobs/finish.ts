/** The only writer of a claimed job's final status. */
import { sql } from 'kysely';
import { isBesideSync } from '../../domain/action.ts';
import { isNamesake, isPreview, plannedBy } from '../../domain/options.ts';
import type { JobOutcome } from '../../domain/outcome.ts';
import { isFinal, type FinalStatus } from '../../domain/status.ts';
import { audit } from '../access/audit.ts';
import type { Db, JobRow, Tx } from '../schema.ts';
import { CLAIMED } from '../status-sql.ts';
import { recordListing } from './proven-listings.ts';

type Left = { readonly detail: string; readonly objects: readonly string[] };

export type Finished = {
  readonly status: FinalStatus;
  /** False when an earlier call wrote it. */
  readonly isNew: boolean;
  /** The source that the job gave its place back to; null if it has none. */
  readonly source: string | null;
};

/**
 * Ends the job, which frees its key. Call it only when no pod of the job lives. Safe to repeat; undefined when
 * another workflow has the job. A cancelled job is `deleted`, an abandoned one `failed`, unless its last step was
 * seen to complete.
 * @param input.left objects of the job that could not be removed; the job shows them, and a force-delete audits
 * them
 */
export async function finishJob(
  db: Db,
  input: { jobId: number; runId: string; outcome: JobOutcome; left?: Left | undefined },
): Promise<Finished | undefined> {
  const { outcome, left } = input;
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
        status_detail = ${left?.detail ?? null}::text,
        finished_at = now()
      WHERE id = ${input.jobId} AND run_id = ${input.runId}
        AND status IN ${CLAIMED}
      RETURNING *`.execute(tx);
    const job = rows[0];
    if (!job) return await readFinal(tx, input);
    if (job.status === 'completed') await recordSuccess(tx, job);
    if (left && job.force_delete)
      await audit(tx, {
        principal: 'worker',
        verb: 'leave-behind',
        object: `job ${job.id}`,
        detail: { env: job.env, target: job.target, objects: left.objects },
      });
    return finished(job, true);
  });
}

/**
 * Records what a completed job changed about its target, in the transaction that completes it: the last success,
 * unless the job only went back or took over; the watermark and the listing, where the job reported them. A preview
 * and a plan change nothing.
 */
export async function recordSuccess(
  tx: Tx,
  job: Pick<JobRow, 'id' | 'env' | 'target' | 'action' | 'options'>,
): Promise<void> {
  if (isPreview(job) || plannedBy(job) !== undefined) return;
  const isSuccess = !isBesideSync(job.action) || isNamesake(job);
  await sql`
    WITH told AS (
      SELECT
        (array_agg(facts->>'watermark' ORDER BY step DESC, attempt DESC)
          FILTER (WHERE facts ? 'watermark' AND action <> 'delete'))[1]::timestamptz AS watermark,
        coalesce(bool_or(facts ? 'watermark' AND action <> 'delete'), false) AS has_watermark,
        (array_agg(facts->>'listing' ORDER BY step DESC, attempt DESC) FILTER (WHERE facts ? 'listing'))[1] AS listing
      FROM steps WHERE job_id = ${job.id}
    ), success AS (
      SELECT ${isSuccess ? job.id : null}::integer AS id, ${isSuccess ? sql`now()` : sql`NULL::timestamptz`} AS at
    )
    INSERT INTO targets AS t (env, target, last_success_job_id, last_success_at, watermark, listing)
    SELECT ${job.env}, ${job.target}, success.id, success.at, told.watermark, told.listing FROM told, success
    ON CONFLICT (env, target) DO UPDATE SET
      last_success_job_id = coalesce(excluded.last_success_job_id, t.last_success_job_id),
      last_success_at = coalesce(excluded.last_success_at, t.last_success_at),
      watermark = CASE WHEN (SELECT has_watermark FROM told) THEN excluded.watermark ELSE t.watermark END,
      listing = coalesce(excluded.listing, t.listing)`.execute(tx);
  await recordListing(tx, job);
}

async function readFinal(db: Db, input: { jobId: number; runId: string }): Promise<Finished | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select(['status', 'source_name'])
    .where('id', '=', input.jobId)
    .where('run_id', '=', input.runId)
    .executeTakeFirst();
  return row && finished(row, false);
}

function finished(job: Pick<JobRow, 'status' | 'source_name'>, isNew: boolean): Finished | undefined {
  return isFinal(job.status) ? { status: job.status, isNew, source: job.source_name } : undefined;
}
