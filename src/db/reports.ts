/** Reports of running programs, straight to Postgres (design.md §3.9). */
import { sql } from 'kysely';
import type { Report } from '../domain/report.ts';
import { isFinal } from '../domain/status.ts';
import type { Db } from './schema.ts';
import type { StepRef } from './steps.ts';

export type ReportVerdict =
  | { readonly kind: 'accepted' }
  /** An equal or newer report of this attempt is stored already. */
  | { readonly kind: 'stale' }
  /** The attempt or its job has ended. */
  | { readonly kind: 'ended' }
  /** The job is being cancelled and this program has not begun: it must not. */
  | { readonly kind: 'cancelling' }
  | { readonly kind: 'unknown' };

/** Stores a report, makes the program's sync job, and moves the job to `running` with its first one. */
export async function storeReport(db: Db, ref: StepRef, report: Report): Promise<ReportVerdict> {
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ status: 'running'; ended: boolean; action: string; newest: number | null }>`
      SELECT j.status, s.ended_at IS NOT NULL AS ended, s.action,
        (SELECT max(seq) FROM reports r
          WHERE r.job_id = s.job_id AND r.step = s.step AND r.attempt = s.attempt) AS newest
      FROM steps s JOIN jobs j ON j.id = s.job_id
      WHERE s.job_id = ${ref.jobId} AND s.step = ${ref.step} AND s.attempt = ${ref.attempt}
      FOR NO KEY UPDATE OF s`.execute(tx);
    const found = rows[0];
    if (!found) return { kind: 'unknown' };
    if (found.ended || isFinal(found.status)) return { kind: 'ended' };
    if (found.newest === null && (found.status as string) === 'cancelling') return { kind: 'cancelling' };
    if (found.newest !== null && report.seq <= found.newest) return { kind: 'stale' };
    await tx
      .insertInto('reports')
      .values({
        job_id: ref.jobId,
        step: ref.step,
        attempt: ref.attempt,
        seq: report.seq,
        phase: report.phase,
        records_done: report.records_done ?? null,
        records_total: report.records_total ?? null,
        added: report.added ?? null,
        updated: report.updated ?? null,
        deleted: report.deleted ?? null,
        failed: report.failed ?? null,
        checkpoint: report.checkpoint === undefined ? null : JSON.stringify(report.checkpoint),
        message: report.message ?? null,
      })
      .execute();
    await sql`
      INSERT INTO sync_jobs (job_id, step, attempt, type, total_records, data_source, options, version,
        target_datastore_url)
      VALUES (${ref.jobId}, ${ref.step}, ${ref.attempt}, ${found.action}, ${report.records_done ?? 0},
        ${report.data_source ?? null}, ${report.options ?? null}, ${report.version ?? null},
        ${report.target_datastore_url ?? null})
      ON CONFLICT (job_id, step, attempt) DO UPDATE SET
        total_records = greatest(sync_jobs.total_records, excluded.total_records),
        data_source = coalesce(excluded.data_source, sync_jobs.data_source),
        options = coalesce(excluded.options, sync_jobs.options),
        version = coalesce(excluded.version, sync_jobs.version),
        target_datastore_url = coalesce(excluded.target_datastore_url, sync_jobs.target_datastore_url)`.execute(
      tx,
    );
    // started_at or not, every report is a change that listeners are told of.
    await sql`
      UPDATE jobs SET
        status = CASE WHEN status IN ('starting', 'waiting') THEN 'running' ELSE status END,
        status_reason = CASE WHEN status IN ('starting', 'waiting') THEN NULL ELSE status_reason END,
        status_detail = CASE WHEN status IN ('starting', 'waiting') THEN NULL ELSE status_detail END,
        started_at = coalesce(started_at, now()), updated_at = now()
      WHERE id = ${ref.jobId} AND status IN ('starting', 'waiting', 'running', 'cancelling')`.execute(tx);
    return { kind: 'accepted' };
  });
}

/** Phase and message of an attempt's newest report, for its diagnosis. */
export async function readLastReport(
  db: Db,
  ref: StepRef,
): Promise<{ phase: string; message: string | null } | undefined> {
  return await db
    .selectFrom('reports')
    .select(['phase', 'message'])
    .where('job_id', '=', ref.jobId)
    .where('step', '=', ref.step)
    .where('attempt', '=', ref.attempt)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}
