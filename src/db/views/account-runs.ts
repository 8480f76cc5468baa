/** Jobs of an account as its routes show them: when each began, how it ended, what its steps counted. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { Diagnosis } from '../../domain/outcome.ts';
import type { JobStatus } from '../../domain/status.ts';
import type { Db } from '../schema.ts';
import { FINAL } from '../status-sql.ts';

export type AccountRun = {
  readonly id: number;
  readonly status: JobStatus;
  readonly status_reason: string | null;
  readonly diagnosis: Diagnosis | null;
  /** ISO-8601 with microseconds: the program's first report, else the claim, else the request. */
  readonly began: string;
  /** The completed steps, with the counts of their last reports. */
  readonly steps: readonly {
    readonly action: string;
    readonly records_done: number | null;
    readonly deleted: number | null;
  }[];
};

const MICROSECONDS = sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

/** Continue it with WHERE; the job is `j`. */
const run = sql`
  SELECT j.id, j.status, j.status_reason, j.diagnosis,
    to_char(coalesce(j.started_at, j.claimed_at, j.created_at) AT TIME ZONE 'UTC', ${MICROSECONDS}) AS began,
    coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'action', s.action, 'records_done', r.records_done, 'deleted', r.deleted) ORDER BY s.step)
      FROM steps s
      LEFT JOIN LATERAL (
        SELECT records_done, deleted FROM reports
        WHERE job_id = s.job_id AND step = s.step AND attempt = s.attempt ORDER BY seq DESC LIMIT 1
      ) r ON true
      WHERE s.job_id = j.id AND s.outcome = 'completed'
    ), '[]'::jsonb) AS steps
  FROM jobs j`;

export async function readAccountRun(db: Db, id: number): Promise<AccountRun | undefined> {
  const { rows } = await sql<AccountRun>`${run} WHERE j.id = ${id}`.execute(db);
  return rows[0];
}

/**
 * The last jobs that ended, whatever their outcome, oldest first. A key runs one job at a time, so their ids are in
 * order.
 */
export async function listAccountRuns(
  db: Db,
  { env, target }: Key,
  { actions, most }: { actions: readonly string[]; most: number },
): Promise<AccountRun[]> {
  const { rows } = await sql<AccountRun>`
    ${run} WHERE j.env = ${env} AND j.target = ${target} AND j.action = ANY (${actions})
      AND j.status IN ${FINAL}
    ORDER BY j.id DESC LIMIT ${most}`.execute(db);
  return rows.toReversed();
}

/** The database's time, in the format of {@link AccountRun.began}. */
export async function readMicroseconds(db: Db): Promise<string> {
  const { rows } = await sql<{ now: string }>`
    SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', ${MICROSECONDS}) AS now`.execute(db);
  if (!rows[0]) throw new Error('Postgres returned no time');
  return rows[0].now;
}
