/** Counts of ended and active jobs, for the metrics. */
import { sql } from 'kysely';
import type { MetricLabels, RunnerKind } from '../../domain/job.ts';
import type { FinalStatus, JobStatus } from '../../domain/status.ts';
import type { Db } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';

/**
 * Upper bounds of the histogram buckets in seconds, as migration 0007 counts them; one more bucket holds everything
 * above.
 */
export const RUN_SECONDS = [5, 15, 60, 300, 900, 3600, 14_400];
export const WAIT_SECONDS = [0.5, 1, 5, 15, 60, 300, 1800];

export type JobTotal = {
  readonly env: string;
  readonly target: string;
  readonly action: string;
  readonly status: FinalStatus;
  /** The diagnosis' code; empty if there is none. */
  readonly reason: string;
  readonly jobs: number;
  readonly records: number;
  readonly run_seconds: number;
  readonly wait_seconds: number;
  /** Number of values above the bound before and at or below this one of RUN_SECONDS; the last: above all. */
  readonly run_places: readonly number[];
  readonly wait_places: readonly number[];
};

/** An action that job_params declares (src/job-params/metric-labels.ts). */
export type CountedKey = MetricLabels & { readonly env: string };

/** `JOIN asked USING (env, target, action)`: leaves out what was counted long ago or by another version. */
const asked = (keys: readonly CountedKey[]) => sql`
  unnest(${keys.map(({ env }) => env)}::text[], ${keys.map(({ target }) => target)}::text[],
    ${keys.map(({ action }) => action)}::text[]) AS asked(env, target, action)`;

export async function listJobTotals(db: Db, keys: readonly CountedKey[]): Promise<JobTotal[]> {
  const { rows } = await sql<JobTotal>`
    SELECT env, target, action, status, reason, jobs::float8, records::float8, run_seconds, wait_seconds,
      run_places::float8[], wait_places::float8[]
    FROM job_totals JOIN ${asked(keys)} USING (env, target, action)
    ORDER BY env, target, action, status, reason`.execute(db);
  return rows;
}

export type ActiveCount = {
  readonly env: string;
  readonly status: JobStatus;
  readonly reason: string;
  readonly runner: RunnerKind;
  readonly jobs: number;
  /** Age of the oldest of them in seconds. */
  readonly oldest: number;
};

export async function countActive(db: Db): Promise<ActiveCount[]> {
  const { rows } = await sql<ActiveCount>`
    SELECT env, status, coalesce(status_reason, '') AS reason, runner, count(*)::float8 AS jobs,
      extract(epoch FROM now() - min(created_at))::float8 AS oldest
    FROM jobs WHERE status IN ${ACTIVE}
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`.execute(db);
  return rows;
}

export type ActionHealth = CountedKey & {
  /** The last success for the whole target, not for some items alone. */
  readonly last_success_at: Date | null;
  /** Failed jobs since the last one that completed. */
  readonly failures: number;
};

/** The given actions, if one of their jobs has ended. */
export async function listActionHealth(db: Db, keys: readonly CountedKey[]): Promise<ActionHealth[]> {
  const { rows } = await sql<ActionHealth>`
    SELECT env, target, action, last_success_at, failures
    FROM standings JOIN ${asked(keys)} USING (env, target, action) ORDER BY env, target, action`.execute(db);
  return rows;
}

export type Underway = {
  readonly env: string;
  /** The name that it counts under: several targets of a family share one. */
  readonly target: string;
  readonly status: JobStatus;
  /** Time of the newest step's last report, or of its start if it has not reported yet. */
  readonly heard_at: Date | null;
  /** True if any step has reported. */
  readonly has_reported: boolean;
  /** Since when it reports the same values; null if nothing was reported. */
  readonly progressed_at: Date | null;
  /** The awaited event, in the program's words. */
  readonly waiting_for: string | null;
  /** NO_PROGRESS_AFTER of the newest step, in seconds. */
  readonly no_progress_after: number | null;
  readonly runner: RunnerKind;
  /** STALLED_AFTER of the newest step, in seconds. */
  readonly stalled_after: number | null;
  /** Records that its steps and their attempts have processed so far; null if none count them. */
  readonly records: number | null;
};

/** Every active job; external executors send words, not reports. */
export async function listUnderway(db: Db): Promise<Underway[]> {
  const { rows } = await sql<Underway>`
    SELECT env, coalesce(counted_target, target) AS target, status, runner, newest.heard_at,
      CASE WHEN runner = 'external' THEN jobs.progressed_at ELSE newest.progressed_at END AS progressed_at,
      newest.waiting_for,
      (steps_spec -> coalesce(newest.step, 0) ->> 'noProgressAfterSeconds')::float8 AS no_progress_after, coalesce(told.has_reported, false) AS has_reported,
      (steps_spec -> newest.step ->> 'stalledAfterSeconds')::float8 AS stalled_after, told.records
    FROM jobs LEFT JOIN LATERAL (
      SELECT s.step, coalesce(last.at, started_at) AS heard_at, facts ->> 'waiting_for' AS waiting_for,
        coalesce(last.progressed_at, last.at) AS progressed_at
      FROM steps s LEFT JOIN LATERAL (
        SELECT at, progressed_at FROM reports r WHERE r.job_id = s.job_id AND r.step = s.step
          AND r.attempt = s.attempt ORDER BY seq DESC LIMIT 1
      ) last ON true
      WHERE s.job_id = jobs.id ORDER BY s.step DESC, s.attempt DESC LIMIT 1
    ) newest ON true
    CROSS JOIN LATERAL (
      SELECT bool_or(true) AS has_reported, sum(last.records_done)::float8 AS records
      FROM steps s CROSS JOIN LATERAL (
        SELECT records_done FROM reports r WHERE r.job_id = s.job_id AND r.step = s.step AND r.attempt = s.attempt
        ORDER BY seq DESC LIMIT 1
      ) last WHERE s.job_id = jobs.id
    ) told
    WHERE status IN ${ACTIVE}
    ORDER BY env, target`.execute(db);
  return rows;
}
