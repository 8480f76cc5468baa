/**
 * Deletes expired rows in small batches that never lock rows in use. Never deleted: active jobs, the newest success of a target, jobs that a younger one resumes.
 */
import { sql } from 'kysely';
import { answeredIds } from '../losses/tidy.ts';
import type { Db } from '../schema.ts';

/** Some old jobs, and the id to continue after; undefined if all later jobs are younger. */
export type Found = { readonly ids: readonly number[]; readonly next: number | undefined };

/** Jobs examined at once, by their ids. */
const PAGE = 200;
const ROWS = 1_000;

/** The time so many seconds ago, by the database's clock. */
export async function readCutoff(db: Db, seconds: number): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`SELECT now() - make_interval(secs => ${seconds}) AS at`.execute(
    db,
  );
  return rows[0]?.at ?? new Date(0);
}

/** True for a job that may be purged: it ended before the cutoff, and no other row needs it. */
const isOver = (cutoff: Date) => sql`
  j.finished_at < ${cutoff}
  AND NOT EXISTS (SELECT FROM targets t WHERE t.env = j.env AND t.target = j.target AND t.last_success_job_id = j.id)`;

/**
 * Jobs that ended before the cutoff and have a log.
 * @param after an id: only younger jobs are examined
 */
export async function findOldLogs(db: Db, cutoff: Date, after: number): Promise<Found> {
  const { rows } = await sql<Looked>`
    WITH RECURSIVE with_log AS (
      (${nextWithLog(sql`${after}::integer`)})
      UNION ALL
      SELECT following.* FROM with_log, LATERAL (${nextWithLog(sql`with_log.id`)}) AS following
    )
    SELECT j.id, j.created_at >= ${cutoff} AS is_young, ${isOver(cutoff)} AND NOT EXISTS (
      SELECT FROM jobs r WHERE r.resumes = j.id AND (r.finished_at IS NULL OR r.finished_at >= ${cutoff})) AS is_old
    FROM (SELECT id FROM with_log WHERE id IS NOT NULL LIMIT ${PAGE}) AS page JOIN jobs j USING (id) ORDER BY j.id`.execute(
    db,
  );
  return found(rows);
}

/** Leaps to the next job that has a log, in the index: Postgres has no such scan of its own. */
const nextWithLog = (after: ReturnType<typeof sql>) => sql`
  SELECT least((SELECT min(job_id) FROM step_logs WHERE job_id > ${after}),
    (SELECT min(job_id) FROM job_log WHERE job_id > ${after})) AS id
  WHERE ${after} IS NOT NULL`;

/** Jobs that ended before the cutoff. @param after as above */
export async function findOldJobs(db: Db, cutoff: Date, after: number): Promise<Found> {
  const { rows } = await sql<Looked>`
    SELECT j.id, j.created_at >= ${cutoff} AS is_young, ${isOver(cutoff)}
      AND NOT EXISTS (SELECT FROM jobs r WHERE r.resumes = j.id) AS is_old
    FROM jobs j WHERE j.id > ${after} ORDER BY j.id LIMIT ${PAGE}`.execute(db);
  return found(rows);
}

type Looked = { readonly id: number; readonly is_young: boolean; readonly is_old: boolean | null };

/** Jobs get their ids in the order of creation: behind a young job there are no old ones. */
function found(rows: readonly Looked[]): Found {
  const ids = rows.flatMap(({ id, is_old }) => (is_old === true ? [id] : []));
  return { ids, next: rows.some(({ is_young }) => is_young) ? undefined : rows.at(-1)?.id };
}

/** Bytes of text in the logs of these jobs. */
export async function measureLogs(db: Db, ids: readonly number[]): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT coalesce((SELECT sum(byte_length) FROM step_logs WHERE job_id = ANY(${ids})), 0)::float8
      + coalesce((SELECT sum(byte_length) FROM job_log WHERE job_id = ANY(${ids})), 0)::float8 AS bytes`.execute(
    db,
  );
  return rows[0]?.bytes ?? 0;
}

/** Deletes the whole log of a job, all steps and attempts, so that no reader sees half of it. */
export async function purgeLog(db: Db, id: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`UPDATE steps SET log_state = 'removed' WHERE job_id = ${id} AND log_bytes > 0`.execute(tx);
    await sql`DELETE FROM step_logs WHERE job_id = ${id}`.execute(tx);
    await sql`DELETE FROM job_log WHERE job_id = ${id}`.execute(tx);
  });
}

/**
 * Deletes jobs with everything recorded of them, as many as one short batch allows. The totals stay, because jobs
 * are counted as they end.
 * @returns how many were deleted
 */
export async function purgeJobs(db: Db, found: readonly number[], cutoff: Date): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    // A job may have become a target's newest success, or been resumed, since it was found.
    const { rows } = await sql<{ id: number }>`
      SELECT j.id FROM jobs j WHERE j.id = ANY(${found}) AND ${isOver(cutoff)}
        AND NOT EXISTS (SELECT FROM jobs r WHERE r.resumes = j.id) FOR UPDATE OF j`.execute(tx);
    const ids = rows.map(({ id }) => id);
    await sql`UPDATE schedule_firings SET job_id = NULL WHERE job_id = ANY(${ids})`.execute(tx);
    for (const table of ['idempotency_keys', 'sync_jobs', 'reports', 'step_logs', 'job_log', 'steps'])
      await sql`DELETE FROM ${sql.table(table)} WHERE job_id = ANY(${ids})`.execute(tx);
    await sql`DELETE FROM jobs WHERE id = ANY(${ids})`.execute(tx);
    return ids.length;
  });
}

/**
 * Deletes records that belong to no job: outcomes of firings, outside runs and resolved losses. Keeps the newest firing
 * of a schedule, and the first, from which the previous version detects missed firings.
 * @returns how many rows; 0 when none are left
 */
export async function purgeRecords(db: Db, cutoff: Date): Promise<number> {
  let deleted = 0;
  for (const statement of [
    sql`DELETE FROM schedule_firings WHERE (schedule, nominal_time) IN (
        SELECT schedule, nominal_time FROM schedule_firings f WHERE nominal_time < ${cutoff} AND job_id IS NULL
          AND EXISTS (SELECT FROM schedule_firings o WHERE o.schedule = f.schedule AND o.nominal_time < f.nominal_time)
          AND EXISTS (SELECT FROM schedule_firings o WHERE o.schedule = f.schedule AND o.nominal_time > f.nominal_time)
        LIMIT ${ROWS})`,
    sql`DELETE FROM sync_jobs WHERE id IN (
        SELECT id FROM sync_jobs WHERE job_id IS NULL AND start_time < ${cutoff} ORDER BY start_time LIMIT ${ROWS})`,
    ...answeredIds(sql`${cutoff}::timestamptz`),
    sql`DELETE FROM losses WHERE id IN (
        SELECT id FROM losses l WHERE resolved_at < ${cutoff}
          AND NOT EXISTS (SELECT FROM loss_removals r JOIN loss_removal_ids i ON i.removal = r.uid WHERE r.loss_id = l.id)
          AND NOT EXISTS (SELECT FROM loss_keeps k JOIN loss_keep_ids i ON i.keep = k.id WHERE k.loss_id = l.id)
        LIMIT ${ROWS})`,
  ])
    deleted += Number((await statement.execute(db)).numAffectedRows ?? 0n);
  return deleted;
}

/** Runs one purge at a time, on its own connection; undefined if another process is purging. */
export async function whilePurging<T>(db: Db, work: (db: Db) => Promise<T>): Promise<T | undefined> {
  return await db.connection().execute(async (own) => {
    const { rows } = await sql<{ is_ours: boolean }>`SELECT pg_try_advisory_lock(${LOCK}) AS is_ours`.execute(
      own,
    );
    if (rows[0]?.is_ours !== true) return undefined;
    try {
      return await work(own);
    } finally {
      await sql`SELECT pg_advisory_unlock(${LOCK})`.execute(own);
    }
  });
}

/** Key of the advisory lock; none of our other locks uses it. */
const LOCK = 4_711_010;
