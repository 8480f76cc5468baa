/** Reads the attempt that a program calls for, and decides whether it may still tell or ask anything. */
import { sql } from 'kysely';
import { isFinal, type JobStatus } from '../../domain/status.ts';
import type { Db } from '../schema.ts';
import type { StepRef } from './steps.ts';

export type FoundAttempt = {
  readonly env: string;
  readonly target: string;
  readonly jobAction: string;
  readonly jobName: string;
  readonly options: string;
  readonly requestedBy: string;
  readonly status: JobStatus;
  readonly ended: boolean;
  /** The action of the step. */
  readonly action: string;
  /** The number of its newest report, and how many are kept. */
  readonly newest: number | null;
  readonly kept: number;
};

/**
 * The attempt with its newest report.
 * @param how.lock locks the step's row: the reports of an attempt queue there, and it cannot end meanwhile
 */
export async function readAttempt(
  db: Db,
  ref: StepRef,
  how: { lock: boolean },
): Promise<FoundAttempt | undefined> {
  const { rows } = await sql<FoundAttempt>`
    SELECT j.env, j.target, j.action AS "jobAction", j.action_name AS "jobName", j.options, j.requested_by AS "requestedBy", j.status,
      s.ended_at IS NOT NULL AS ended, s.action, told.newest, told.kept
    FROM steps s JOIN jobs j ON j.id = s.job_id, LATERAL (
      SELECT max(seq) AS newest, count(*)::int AS kept FROM reports r
      WHERE r.job_id = s.job_id AND r.step = s.step AND r.attempt = s.attempt) AS told
    WHERE s.job_id = ${ref.jobId} AND s.step = ${ref.step} AND s.attempt = ${ref.attempt}
    ${how.lock ? sql`FOR NO KEY UPDATE OF s` : sql``}`.execute(db);
  return rows[0];
}

/** `cancelling` only for a program that has not reported before: it must not begin. */
export function attemptRefusal(found: FoundAttempt): 'ended' | 'cancelling' | undefined {
  if (found.ended || isFinal(found.status)) return 'ended';
  if (found.newest === null && found.status === 'cancelling') return 'cancelling';
  return undefined;
}
