/** What ended and what is under way, in numbers. */
import { sql } from 'kysely';
import type { FinalStatus, JobStatus } from '../domain/status.ts';
import { RUN_SECONDS, WAIT_SECONDS } from './migrations/0007-totals.ts';
import type { Db } from './schema.ts';
import { KEYS_OF_JOBS } from './target-states.ts';

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

export async function listJobTotals(db: Db): Promise<JobTotal[]> {
  const { rows } = await sql<JobTotal>`
    SELECT env, target, action, status, reason, jobs::float8, records::float8, run_seconds, wait_seconds,
      run_places::float8[], wait_places::float8[]
    FROM job_totals ORDER BY env, target, action, status, reason`.execute(db);
  return rows;
}

export type ActiveCount = {
  readonly env: string;
  readonly status: JobStatus;
  readonly reason: string;
  readonly jobs: number;
  /** Seconds that the oldest of them has existed. */
  readonly oldest: number;
};

export async function countActive(db: Db): Promise<ActiveCount[]> {
  const { rows } = await sql<ActiveCount>`
    SELECT env, status, coalesce(status_reason, '') AS reason, count(*)::float8 AS jobs,
      extract(epoch FROM now() - min(created_at))::float8 AS oldest
    FROM jobs WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(db);
  return rows;
}

export type Standing = {
  readonly env: string;
  readonly target: string;
  readonly last_success_at: Date | null;
  /** Failed jobs since the last one that completed. */
  readonly failures: number;
};

/** Of every target that ever had a job; looks at the ten newest jobs of each. */
export async function listStandings(db: Db): Promise<Standing[]> {
  const { rows } = await sql<Standing>`
    ${KEYS_OF_JOBS}
    SELECT env, target, t.last_success_at, count(newest.id) FILTER (WHERE newest.status = 'failed'
      AND newest.id > coalesce(t.last_success_job_id, 0))::float8 AS failures
    FROM keys LEFT JOIN targets t USING (env, target) CROSS JOIN LATERAL (
      SELECT id, status FROM jobs j WHERE j.env = keys.env AND j.target = keys.target ORDER BY id DESC LIMIT 10
    ) newest
    GROUP BY env, target, t.last_success_at ORDER BY env, target`.execute(db);
  return rows;
}

export type Silent = { readonly env: string; readonly target: string; readonly seconds: number };

/** How long each running program has not reported; since its start where it never did. External executors need not. */
export async function listSilent(db: Db): Promise<Silent[]> {
  const { rows } = await sql<Silent>`
    SELECT env, target, extract(epoch FROM now() - coalesce(heard.at, started_at, claimed_at))::float8 AS seconds
    FROM jobs LEFT JOIN LATERAL (
      SELECT at FROM reports WHERE job_id = jobs.id ORDER BY step DESC, attempt DESC, seq DESC LIMIT 1
    ) heard ON true
    WHERE status = 'running' AND runner <> 'external' ORDER BY env, target`.execute(db);
  return rows;
}
