/** The names Temporal knows us by. One place, because workflow code, worker and clients must agree on them. */

/** Workflows and short activities. */
export const TASK_QUEUE = 'syncrator';
/** Watching and sweeping: long activities that must never take the slots of a cancel. */
export const WATCH_TASK_QUEUE = 'syncrator-watch';
/** Telling receivers, each try of which may hang for 10 s: never in the slots of a launch or a firing. */
export const NOTIFY_TASK_QUEUE = 'syncrator-notify';

export const RUN_JOB = 'runJob';
export const SCHEDULED_JOB = 'scheduledJob';
export const NOTIFY = 'notify';
/** The signal that says: look at Postgres, something may be wanted of your key. */
export const POKED = 'poked';
/** The type of the failure that closes the run of a failed job. */
export const JOB_FAILED = 'JobFailed';
/** Of an activity's failure: its job is over, or another run's. */
export const SUPERSEDED = 'superseded';

/** Custom search attributes: a workflow that sets one cannot go on where it is not registered. */
export const SEARCH_ATTRIBUTES = {
  SyncratorTarget: 'KEYWORD',
  SyncratorEnv: 'KEYWORD',
  SyncratorAction: 'KEYWORD',
  SyncratorJobId: 'INT',
} as const;
export type SearchAttribute = keyof typeof SEARCH_ATTRIBUTES;
