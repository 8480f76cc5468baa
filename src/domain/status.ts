/** The status machine of a job (design.md §3). Pure; the SQL guards in src/db use these very lists. */

export const ACTIVE_STATUSES = ['queued', 'waiting', 'starting', 'running', 'cancelling'] as const;
export const FINAL_STATUSES = ['completed', 'failed', 'deleted'] as const;
export const JOB_STATUSES = [...ACTIVE_STATUSES, ...FINAL_STATUSES] as const;

export type ActiveStatus = (typeof ACTIVE_STATUSES)[number];
export type FinalStatus = (typeof FINAL_STATUSES)[number];
export type JobStatus = (typeof JOB_STATUSES)[number];

const NEXT: Record<JobStatus, readonly JobStatus[]> = {
  // `waiting` with reason maintenance before the claim, with a runner's reason after it.
  queued: ['waiting', 'starting', 'deleted'],
  waiting: ['queued', 'starting', 'running', 'cancelling', 'failed', 'deleted'],
  starting: ['waiting', 'running', 'cancelling', 'completed', 'failed'],
  running: ['cancelling', 'completed', 'failed'],
  cancelling: ['deleted', 'completed', 'failed'],
  completed: [],
  failed: [],
  deleted: [],
};

/** True for a status that never changes again. */
export function isFinal(status: JobStatus): status is FinalStatus {
  return (FINAL_STATUSES as readonly JobStatus[]).includes(status);
}

/** Whether a job may go from one status to another; a status to itself is never a move. */
export function canMove(from: JobStatus, to: JobStatus): boolean {
  return NEXT[from].includes(to);
}

/** The statuses from which `to` may be reached: the `WHERE status IN (…)` of every guarded write. */
export function statusesBefore(to: JobStatus): readonly JobStatus[] {
  return JOB_STATUSES.filter((from) => canMove(from, to));
}
