/** Claims a key's active job for a workflow. The only writer of run_id. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { NO_LIMITS, type SourceLimits } from '../../domain/source-limit.ts';
import type { Db, JobRow } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';
import { takePlace } from './source-places.ts';

type Run = { readonly runId: string; readonly runStartedAt: Date };

/** The active job of a key; undefined for an external one, which no workflow serves. */
export async function findClaimable(db: Db, key: Key): Promise<JobRow | undefined> {
  return await db
    .selectFrom('jobs')
    .selectAll()
    .where('env', '=', key.env)
    .where('target', '=', key.target)
    .where('runner', '!=', 'external')
    .where(sql<boolean>`status IN ${ACTIVE}`)
    .executeTakeFirst();
}

/**
 * Stores our run id. Undefined when there is nothing to claim any more: the job is final, paused or waits for a place of its
 * source, a newer workflow has it, or it changed hands since `seen` was read (then look again). Safe to repeat.
 * @param abandoned the stored run was terminated: mark the job so that it only gets cleaned up
 */
export async function claimJob(
  db: Db,
  seen: JobRow,
  { limits = NO_LIMITS, ...run }: Run & { readonly limits?: SourceLimits },
  abandoned: boolean,
): Promise<JobRow | undefined> {
  const { id, source_name: source } = seen;
  // A job that was claimed before has its place until it ends.
  if (seen.run_id !== null || source === null || !limits.has(source))
    return await storeRun(db, seen, run, abandoned);
  return await db
    .transaction()
    .execute(async (tx) =>
      (await takePlace(tx, { id, source, limits })) ? await storeRun(tx, seen, run, abandoned) : undefined,
    );
}

async function storeRun(db: Db, seen: JobRow, run: Run, abandoned: boolean): Promise<JobRow | undefined> {
  const { rows } = await sql<JobRow>`
    UPDATE jobs SET
      run_id = ${run.runId},
      run_started_at = ${run.runStartedAt},
      claimed_at = coalesce(claimed_at, now()),
      observed_at = now(),
      abandoned = abandoned OR ${abandoned},
      status = CASE WHEN run_id IS NULL THEN 'starting' ELSE status END,
      status_reason = CASE WHEN run_id IS NULL THEN NULL ELSE status_reason END,
      status_detail = CASE WHEN run_id IS NULL THEN NULL ELSE status_detail END
    WHERE id = ${seen.id} AND runner <> 'external'
      AND status IN ${ACTIVE}
      AND run_id IS NOT DISTINCT FROM ${seen.run_id}
      AND (run_started_at IS NULL OR run_started_at <= ${run.runStartedAt})
      AND (run_id IS NOT NULL OR NOT (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1))
    RETURNING *`.execute(db);
  return rows[0];
}

/** The job while this run owns it; undefined after another workflow took it over. */
export async function readOwnJob(db: Db, of: { jobId: number; runId: string }): Promise<JobRow | undefined> {
  return await db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', of.jobId)
    .where('run_id', '=', of.runId)
    .executeTakeFirst();
}
