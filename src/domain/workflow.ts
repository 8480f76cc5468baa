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

/** Custom search attributes: all must be registered before a workflow that sets them can start. */
export const SEARCH_ATTRIBUTES = {
  SyncratorTarget: 'KEYWORD',
  SyncratorEnv: 'KEYWORD',
  SyncratorAction: 'KEYWORD',
  SyncratorJobId: 'INT',
} as const;
