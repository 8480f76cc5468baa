/**
 * Whole logs: each step's row tells how far its log was read, in bytes of the stored text. Adds what retention
 * needs, too.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Locks all tables at once, and first: the migration never holds one while it waits for another.
  `LOCK TABLE jobs, steps, step_logs, schedule_firings, idempotency_keys IN ACCESS EXCLUSIVE MODE`,
  // log_read and log_mark: the place in what the program printed; log_bytes: the same place in the stored text.
  `ALTER TABLE steps
    ADD COLUMN log_read bigint NOT NULL DEFAULT 0,
    ADD COLUMN log_mark text,
    ADD COLUMN log_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN log_state text NOT NULL DEFAULT 'growing'
      CHECK (log_state IN ('growing', 'complete', 'end_missing', 'removed'))`,
  `UPDATE steps SET log_read = last.at, log_bytes = last.at, log_mark = last.mark
    FROM (SELECT DISTINCT ON (job_id, step, attempt) job_id, step, attempt, byte_offset + byte_length AS at, mark
      FROM step_logs ORDER BY job_id, step, attempt, byte_offset DESC) AS last
    WHERE (steps.job_id, steps.step, steps.attempt) = (last.job_id, last.step, last.attempt)`,
  `UPDATE steps SET log_state = 'complete' FROM jobs
    WHERE jobs.id = steps.job_id AND jobs.finished_at IS NOT NULL`,
  `ALTER TABLE step_logs DROP COLUMN mark`,

  // Retention thins the reports of an ended job once, to what the page shows; it deletes jobs with all rows that
  // refer to them.
  `ALTER TABLE steps ADD COLUMN is_thinned boolean NOT NULL DEFAULT false`,
  `CREATE INDEX steps_unthinned ON steps (job_id) WHERE NOT is_thinned`,
  `CREATE INDEX schedule_firings_by_job ON schedule_firings (job_id) WHERE job_id IS NOT NULL`,
  `CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job_id) WHERE job_id IS NOT NULL`,
];
