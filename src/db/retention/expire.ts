/** Deletes rows that no view shows any more, regardless of the retention settings: in batches, oldest first. */
import { sql } from 'kysely';
import { REPORT_POINTS } from '../../domain/report.ts';
import { expireStories } from '../jobs/stories.ts';
import { tidyLosses } from '../losses/tidy.ts';
import { tidyPlans } from '../plans/tidy.ts';
import type { Db } from '../schema.ts';

const ROWS = 1_000;
const STEPS = 200;

/**
 * Deletes expired Idempotency keys, delivered notices, old stories, and what no loss and no plan shows any more. Keeps the newest notice of each
 * schedule, which proves that it was told.
 * @returns how many rows; 0 when none are left
 */
export async function tidyRows(db: Db): Promise<number> {
  const keys = await sql`
    DELETE FROM idempotency_keys WHERE (principal, key) IN (
      SELECT principal, key FROM idempotency_keys
      WHERE created_at < now() - interval '24 hours' LIMIT ${ROWS})`.execute(db);
  const notices = await sql`
    DELETE FROM notices WHERE id IN (
      SELECT id FROM notices n WHERE handed_on
        AND EXISTS (SELECT FROM notices o WHERE o.schedule = n.schedule AND o.at > n.at)
      LIMIT ${ROWS})`.execute(db);
  const rows = Number(keys.numAffectedRows ?? 0n) + Number(notices.numAffectedRows ?? 0n);
  return rows + (await tidyLosses(db)) + (await tidyPlans(db)) + (await expireStories(db));
}

/**
 * Thins the reports of some steps of ended jobs to the points of a chart: of each attempt the first, the last, the
 * newest with a checkpoint, and others evenly between.
 * @param after the id of a job: only younger ones are thinned
 * @returns the id to continue after; undefined when none are left
 */
export async function thinReports(db: Db, after: number): Promise<number | undefined> {
  const { rows } = await sql<{ last: number | null }>`
    WITH ended AS (
      SELECT s.job_id, s.step, s.attempt FROM steps s JOIN jobs j ON j.id = s.job_id
      WHERE s.job_id > ${after} AND NOT s.is_thinned AND j.finished_at IS NOT NULL
      ORDER BY s.job_id LIMIT ${STEPS}
    ), numbered AS (
      SELECT job_id, step, attempt, seq,
        row_number() OVER up AS nth, count(*) OVER (PARTITION BY job_id, step, attempt) AS of_all,
        seq = max(seq) FILTER (WHERE checkpoint IS NOT NULL) OVER (PARTITION BY job_id, step, attempt) AS is_resumed
      FROM ended JOIN reports USING (job_id, step, attempt)
      WINDOW up AS (PARTITION BY job_id, step, attempt ORDER BY seq)
    ), thinned AS (
      DELETE FROM reports USING numbered n
      WHERE (reports.job_id, reports.step, reports.attempt, reports.seq) = (n.job_id, n.step, n.attempt, n.seq)
        AND n.nth > 1 AND n.nth < n.of_all AND n.is_resumed IS NOT TRUE
        AND n.nth * ${REPORT_POINTS} / n.of_all = (n.nth - 1) * ${REPORT_POINTS} / n.of_all
    ), marked AS (
      UPDATE steps SET is_thinned = true FROM ended
      WHERE (steps.job_id, steps.step, steps.attempt) = (ended.job_id, ended.step, ended.attempt)
    )
    SELECT max(job_id) AS last FROM ended`.execute(db);
  return rows[0]?.last ?? undefined;
}
