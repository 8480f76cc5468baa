/**
 * The state machine of a job: its statuses and the moves between them. The guards of every SQL statement in src/db are
 * made from these lists (src/db/status-sql.ts); test/db/jobs/job-model.pg.test.ts compares the moves with a real Postgres.
 */

export const ACTIVE_STATUSES = ['queued', 'waiting', 'starting', 'running', 'cancelling'] as const;
export const FINAL_STATUSES = ['completed', 'failed', 'deleted'] as const;
export const JOB_STATUSES = [...ACTIVE_STATUSES, ...FINAL_STATUSES] as const;

type ActiveStatus = (typeof ACTIVE_STATUSES)[number];
export type FinalStatus = (typeof FINAL_STATUSES)[number];
export type JobStatus = (typeof JOB_STATUSES)[number];

/** `workflow`: RUNNER=kubernetes or process. `executor`: RUNNER=external, whose executor reports by HTTP. */
export type Driver = 'workflow' | 'executor';

const MOVES: Record<Driver, Record<ActiveStatus, readonly JobStatus[]>> = {
  workflow: {
    // `waiting` has the reason `maintenance` before the claim, and a reason from the runner after it.
    queued: ['waiting', 'starting', 'deleted'],
    waiting: ['queued', 'starting', 'running', 'cancelling', 'completed', 'failed', 'deleted'],
    // To `completed` without `running`: a short program may end before anything observes it running.
    starting: ['waiting', 'running', 'cancelling', 'completed', 'failed', 'deleted'],
    running: ['cancelling', 'completed', 'failed', 'deleted'],
    cancelling: ['completed', 'failed', 'deleted'],
  },
  // Maintenance does not hold external jobs back, and a cancel ends them at once: nothing of ours runs.
  executor: {
    queued: ['running', 'completed', 'failed', 'deleted'],
    waiting: [],
    starting: [],
    running: ['completed', 'failed', 'deleted'],
    cancelling: [],
  },
};

/** True for a status that never changes again. */
export function isFinal(status: JobStatus): status is FinalStatus {
  return (FINAL_STATUSES as readonly JobStatus[]).includes(status);
}

/** Whether a job may move from one status to another; staying in a status is not a move. */
export function canMove(from: JobStatus, to: JobStatus, driver: Driver = 'workflow'): boolean {
  return !isFinal(from) && MOVES[driver][from].includes(to);
}

/** The statuses from which a job may move to `to`. */
function statusesBefore(to: JobStatus, driver: Driver = 'workflow'): readonly ActiveStatus[] {
  return ACTIVE_STATUSES.filter((from) => canMove(from, to, driver));
}

/** No workflow has claimed the job yet. */
export const UNCLAIMED_STATUSES = statusesBefore('starting');
/** A workflow has the job and ends it. An unclaimed job may be `waiting` too: its `run_id` is null. */
export const CLAIMED_STATUSES = statusesBefore('completed');
/** A workflow has the job, and no cancel was requested: its steps may begin. */
export const STEPPING_STATUSES = statusesBefore('cancelling');
/** A workflow has the job, and its program has not reported yet. */
export const LAUNCHING_STATUSES = statusesBefore('running');
/** An executor may still update the job. */
export const EXECUTOR_STATUSES = statusesBefore('completed', 'executor');
/** A cancel changes the job. */
export const CANCELLABLE_STATUSES = ACTIVE_STATUSES.filter((status) => status !== 'cancelling');
/** The job ended without doing its work. */
export const UNSUCCESSFUL_STATUSES = FINAL_STATUSES.filter((status) => status !== 'completed');
