/** Our names in Temporal. In one place, because workflow code, worker and clients must agree on them. */

/** Workflows and short activities. */
export const TASK_QUEUE = 'syncrator';
/** Watching and sweeping: long activities that must never take the slots of a cancel. */
export const WATCH_TASK_QUEUE = 'syncrator-watch';
/** Notifying receivers: each try may hang for 10 s, and must not take the slots of a launch or a firing. */
export const NOTIFY_TASK_QUEUE = 'syncrator-notify';

export const RUN_JOB = 'runJob';
export const SCHEDULED_JOB = 'scheduledJob';
export const NOTIFY = 'notify';
/** The signal that tells a workflow to look at Postgres: its key may have work. */
export const POKED = 'poked';
/** The type of the failure that closes the run of a failed job. */
export const JOB_FAILED = 'JobFailed';
/** Failure type of an activity: its job is over, or belongs to another run. */
export const SUPERSEDED = 'superseded';

/** Custom search attributes: a workflow that sets one cannot continue where the attribute is not registered. */
export const SEARCH_ATTRIBUTES = {
  SyncratorTarget: 'KEYWORD',
  SyncratorEnv: 'KEYWORD',
  SyncratorAction: 'KEYWORD',
  SyncratorJobId: 'INT',
} as const;
export type SearchAttribute = keyof typeof SEARCH_ATTRIBUTES;
