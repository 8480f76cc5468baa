/** Stores the reports of running programs directly, not through Temporal: they are frequent. */
import { sql } from 'kysely';
import { FACTS, REPORT_POINTS, type Report } from '../../domain/report.ts';
import type { Db, Tx } from '../schema.ts';
import { CLAIMED, LAUNCHING } from '../status-sql.ts';
import { attemptRefusal, type FoundAttempt, readAttempt } from './attempts.ts';
import type { StepRef } from './steps.ts';

export type ReportVerdict =
  | { readonly kind: 'accepted' }
  /** An equal or newer report of this attempt is stored already. */
  | { readonly kind: 'stale' }
  /** The attempt or its job has ended. */
  | { readonly kind: 'ended' }
  /** The job is being cancelled and this program has not reported before: it must not begin. */
  | { readonly kind: 'cancelling' }
  /** Its number is far beyond the newest: it would make every later report of the program stale. */
  | { readonly kind: 'leap'; readonly newest: number }
  | { readonly kind: 'unknown' };

/** Our programs count by one, at most once a second: more than a week of lost reports. */
const MOST_LEAP = 1_000_000;

/** Reports kept of an attempt while it runs. */
const MOST_KEPT = 2 * REPORT_POINTS;

/** Stores a report, writes the program's sync job, and moves the job to `running` with its first report. */
export async function storeReport(db: Db, ref: StepRef, report: Report): Promise<ReportVerdict> {
  return await db.transaction().execute(async (tx) => {
    const found = await readAttempt(tx, ref, { lock: true });
    if (!found) return { kind: 'unknown' };
    const refusal = refusalOf(found, report);
    if (refusal) return refusal;
    await insertReport(tx, ref, report, found.newest);
    if (report.checkpoint !== undefined) await forgetOlderCheckpoints(tx, ref, report.seq);
    if (found.kept >= MOST_KEPT) await thinWhileRunning(tx, ref);
    await mergeFacts(tx, ref, report);
    await upsertSyncJob(tx, ref, report, found.action);
    await markRunning(tx, ref);
    return { kind: 'accepted' };
  });
}

function refusalOf(found: FoundAttempt, report: Report): ReportVerdict | undefined {
  const refused = attemptRefusal(found);
  if (refused) return { kind: refused };
  if (found.newest !== null && report.seq <= found.newest) return { kind: 'stale' };
  if (report.seq > (found.newest ?? 0) + MOST_LEAP) return { kind: 'leap', newest: found.newest ?? 0 };
  return undefined;
}

async function insertReport(tx: Tx, ref: StepRef, report: Report, newest: number | null): Promise<void> {
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
      progressed_at: sql<Date>`coalesce(${sinceWhenSame(ref, report, newest)}, now())`,
    })
    .execute();
}

async function mergeFacts(tx: Tx, ref: StepRef, report: Report): Promise<void> {
  const facts = factsIn(report);
  if (facts === undefined) return;
  await sql`
    UPDATE steps SET facts = coalesce(facts, '{}') || ${facts}::jsonb
    WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}
      AND facts IS DISTINCT FROM coalesce(facts, '{}') || ${facts}::jsonb`.execute(tx);
}

async function upsertSyncJob(tx: Tx, ref: StepRef, report: Report, action: string): Promise<void> {
  await sql`
    INSERT INTO sync_jobs (job_id, step, attempt, type, total_records, data_source, options, version,
      target_datastore_url)
    VALUES (${ref.jobId}, ${ref.step}, ${ref.attempt}, ${action}, ${report.records_done ?? 0},
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
}

/** Updates the row for every report: listeners hear of a report by the change of its job. */
async function markRunning(tx: Tx, { jobId }: StepRef): Promise<void> {
  await sql`
    UPDATE jobs SET
      status = CASE WHEN status IN ${LAUNCHING} THEN 'running' ELSE status END,
      status_reason = CASE WHEN status IN ${LAUNCHING} THEN NULL ELSE status_reason END,
      status_detail = CASE WHEN status IN ${LAUNCHING} THEN NULL ELSE status_detail END,
      started_at = coalesce(started_at, now()), updated_at = now()
    WHERE id = ${jobId} AND status IN ${CLAIMED}`.execute(tx);
}

/** A resume reads the newest checkpoint only, and each may be as large as hundreds of reports. */
async function forgetOlderCheckpoints(tx: Tx, { jobId, step, attempt }: StepRef, seq: number): Promise<void> {
  await sql`
    UPDATE reports SET checkpoint = NULL
    WHERE job_id = ${jobId} AND step = ${step} AND attempt = ${attempt} AND seq < ${seq}
      AND checkpoint IS NOT NULL`.execute(tx);
}

/**
 * Thins an attempt's reports to the points of a chart: the first, the newest, the one with the checkpoint, and the last
 * of each of REPORT_POINTS equal intervals. Intervals of time and not of number, because earlier thinning left fewer
 * reports at the beginning.
 */
async function thinWhileRunning(tx: Tx, { jobId, step, attempt }: StepRef): Promise<void> {
  await sql`
    WITH told AS (
      SELECT seq, checkpoint, extract(epoch FROM at) AS t, min(extract(epoch FROM at)) OVER () AS from_t,
        greatest(max(extract(epoch FROM at)) OVER () - min(extract(epoch FROM at)) OVER (), 0.001) AS length
      FROM reports WHERE job_id = ${jobId} AND step = ${step} AND attempt = ${attempt}
    ), numbered AS (
      SELECT seq, checkpoint, row_number() OVER (ORDER BY seq) AS nth,
        row_number() OVER (PARTITION BY floor((t - from_t) * ${REPORT_POINTS} / length) ORDER BY seq DESC) AS nth_last
      FROM told
    )
    DELETE FROM reports USING numbered n
    WHERE job_id = ${jobId} AND step = ${step} AND attempt = ${attempt} AND reports.seq = n.seq
      AND n.nth > 1 AND n.nth_last > 1 AND n.checkpoint IS NULL`.execute(tx);
}

/** Since when the attempt has reported the same values; NULL if this report has a new value or a new wait. */
function sinceWhenSame(ref: StepRef, report: Report, newest: number | null) {
  const checkpoint = report.checkpoint === undefined ? null : JSON.stringify(report.checkpoint);
  return sql`(
    SELECT coalesce(r.progressed_at, r.at) FROM reports r JOIN steps s USING (job_id, step, attempt)
    WHERE r.job_id = ${ref.jobId} AND r.step = ${ref.step} AND r.attempt = ${ref.attempt} AND r.seq = ${newest}
      AND r.phase = ${report.phase}
      AND r.records_done IS NOT DISTINCT FROM ${report.records_done ?? null}::bigint
      AND r.records_total IS NOT DISTINCT FROM ${report.records_total ?? null}::bigint
      AND r.added IS NOT DISTINCT FROM ${report.added ?? null}::bigint
      AND r.updated IS NOT DISTINCT FROM ${report.updated ?? null}::bigint
      AND r.deleted IS NOT DISTINCT FROM ${report.deleted ?? null}::bigint
      AND r.failed IS NOT DISTINCT FROM ${report.failed ?? null}::bigint
      AND r.message IS NOT DISTINCT FROM ${report.message ?? null}::text
      AND r.checkpoint IS NOT DISTINCT FROM ${checkpoint}::jsonb
      AND (${report.waiting_for === undefined}
        OR s.facts ->> 'waiting_for' IS NOT DISTINCT FROM ${report.waiting_for ?? null}::text))`;
}

/** The facts of a report as JSON. Facts that the report omits keep their stored values. */
function factsIn(report: Report): string | undefined {
  const told = FACTS.flatMap((field) => (report[field] === undefined ? [] : [[field, report[field]]]));
  return told.length === 0 ? undefined : JSON.stringify(Object.fromEntries(told));
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
