/** What ended and what is under way, in numbers. */
import { sql } from 'kysely';
import type { Counted, RunnerKind } from '../domain/job.ts';
import type { FinalStatus, JobStatus } from '../domain/status.ts';
import { RUN_SECONDS, WAIT_SECONDS } from './migrations/0007-totals.ts';
import type { Db } from './schema.ts';

export { RUN_SECONDS, WAIT_SECONDS };

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

/** One of those that job_params declares (src/counted-as.ts). */
export type CountedKey = Counted & { readonly env: string };

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
    FROM jobs WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`.execute(db);
  return rows;
}

export type Standing = CountedKey & {
  /** Of a job that was about the whole target, not some items alone. */
  readonly last_success_at: Date | null;
  /** Failed jobs since the last one that completed. */
  readonly failures: number;
};

/** Of these actions, where one of their jobs has ended. */
export async function listStandings(db: Db, keys: readonly CountedKey[]): Promise<Standing[]> {
  const { rows } = await sql<Standing>`
    SELECT env, target, action, last_success_at, failures
    FROM standings JOIN ${asked(keys)} USING (env, target, action) ORDER BY env, target, action`.execute(db);
  return rows;
}

export type Underway = {
  readonly env: string;
  readonly target: string;
  readonly status: JobStatus;
  /** The newest step's last report, or its start when it has not reported yet. */
  readonly heard_at: Date | null;
  /** Any step. */
  readonly has_reported: boolean;
  /** STALLED_AFTER of the newest step, in seconds. */
  readonly stalled_after: number | null;
  /** What its steps and their attempts went through so far; null where they count none. */
  readonly records: number | null;
};

/** Every active job whose program may report; external executors do not. */
export async function listUnderway(db: Db): Promise<Underway[]> {
  const { rows } = await sql<Underway>`
    SELECT env, target, status, newest.heard_at, coalesce(told.has_reported, false) AS has_reported,
      (steps_spec -> newest.step ->> 'stalledAfterSeconds')::float8 AS stalled_after, told.records
    FROM jobs LEFT JOIN LATERAL (
      SELECT step, coalesce((SELECT at FROM reports r WHERE r.job_id = s.job_id AND r.step = s.step
        AND r.attempt = s.attempt ORDER BY seq DESC LIMIT 1), started_at) AS heard_at
      FROM steps s WHERE job_id = jobs.id ORDER BY step DESC, attempt DESC LIMIT 1
    ) newest ON true
    CROSS JOIN LATERAL (
      SELECT bool_or(true) AS has_reported, sum(last.records_done)::float8 AS records
      FROM steps s CROSS JOIN LATERAL (
        SELECT records_done FROM reports r WHERE r.job_id = s.job_id AND r.step = s.step AND r.attempt = s.attempt
        ORDER BY seq DESC LIMIT 1
      ) last WHERE s.job_id = jobs.id
    ) told
    WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling') AND runner <> 'external'
    ORDER BY env, target`.execute(db);
  return rows;
}
