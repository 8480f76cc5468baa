/** Counts of ended and active jobs, for the metrics. */
import { sql } from 'kysely';
import type { MetricLabels, RunnerKind } from '../../domain/job.ts';
import type { FinalStatus, JobStatus } from '../../domain/status.ts';
import type { Db } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';

/** Upper bounds of the histogram buckets in seconds, as migration 0007 counts them; the last bucket is above all. */
export const RUN_SECONDS = [5, 15, 60, 300, 900, 3600, 14_400];
export const WAIT_SECONDS = [0.5, 1, 5, 15, 60, 300, 1800];

export type JobTotal = {
  readonly env: string;
  readonly target: string;
  readonly action: string;
  readonly status: FinalStatus;
  /** The diagnosis' code; empty for none. */
  readonly reason: string;
  readonly jobs: number;
  readonly records: number;
  readonly run_seconds: number;
  readonly wait_seconds: number;
  /** How many lie at or below each bound of RUN_SECONDS and above the one before; the last: above all. */
  readonly run_places: readonly number[];
  readonly wait_places: readonly number[];
};

/** One of those that job_params declares (src/job-params/metric-labels.ts). */
export type CountedKey = MetricLabels & { readonly env: string };

/** `JOIN asked USING (env, target, action)`: whatever else was counted, long ago or by another version, stays unread. */
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
  /** Seconds that the oldest of them has existed. */
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
  /** Of a job that was about the whole target, not some items alone. */
  readonly last_success_at: Date | null;
  /** Failed jobs since the last one that completed. */
  readonly failures: number;
};

/** Of these actions, where one of their jobs has ended. */
export async function listActionHealth(db: Db, keys: readonly CountedKey[]): Promise<ActionHealth[]> {
  const { rows } = await sql<ActionHealth>`
    SELECT env, target, action, last_success_at, failures
    FROM standings JOIN ${asked(keys)} USING (env, target, action) ORDER BY env, target, action`.execute(db);
  return rows;
}

export type Underway = {
  readonly env: string;
  /** What it is counted under: a family of targets has several at once. */
  readonly target: string;
  readonly status: JobStatus;
  /** The newest step's last report, or its start when it has not reported yet. */
  readonly heard_at: Date | null;
  /** Any step. */
  readonly has_reported: boolean;
  /** Since when it tells the same; null where nothing was told. */
  readonly progressed_at: Date | null;
  /** What its program waits for, in its own words. */
  readonly waiting_for: string | null;
  /** NO_PROGRESS_AFTER of the newest step, in seconds. */
  readonly no_progress_after: number | null;
  readonly runner: RunnerKind;
  /** STALLED_AFTER of the newest step, in seconds. */
  readonly stalled_after: number | null;
  /** What its steps and their attempts went through so far; null where they count none. */
  readonly records: number | null;
};

/** Every active job; external executors tell words, not reports. */
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
