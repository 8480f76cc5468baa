/**
 * Exit codes of the sync program, part of its contract: a runner that sees only the code can still name the reason.
 * 143 = 128 + SIGTERM by shell convention.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Wrong arguments; nothing was touched. */
  usage: 2,
  /** A guard refused to delete or to switch; the data are unchanged. */
  deleteGuard: 3,
  /** Settings of source or sink are missing or unusable; nothing was touched. */
  notConfigured: 4,
  /** The api refused the first report: this attempt must not run; nothing was touched. */
  refused: 5,
  /** A newer job has written to the sink; this job's batch was rolled back. */
  fenced: 6,
  /** No earlier generation is kept, so there is nothing to roll back to. */
  nothingToRollBack: 7,
  /** The source cannot be reached: its name is unknown, or nothing listens there. */
  sourceUnreachable: 8,
  /** The source was reached but did not answer in time. */
  sourceTimeout: 9,
  /** The source refused our credentials. */
  sourceUnauthorized: 10,
  /** Some items failed for good and are listed; all others are done. A resume tries only the failed ones. */
  itemsFailed: 11,
  /** The source's listing is not proven complete, so nothing was removed or changed. */
  incompleteListing: 12,
  /** The sink cannot be reached. */
  sinkUnreachable: 13,
  /** The sink takes no writes: a standby, or a database set to read-only. */
  sinkReadOnly: 14,
  /** The sink's role lacks a right; the message has the statement that grants it. */
  sinkPermission: 15,
  /** Another session locks rows or the table of the sink; the message names it. */
  sinkBusy: 16,
  /** The sink belongs to another installation, target or environment; nothing was touched. */
  sinkOwned: 17,
  /** The sink's table is not the one that the last job wrote; nothing was touched. */
  sinkReplaced: 18,
  /** A trigger or rule of the sink changes what is written; nothing was changed. */
  sinkAlters: 19,
  /** More bad records than MAX_REJECTED; nothing was changed. */
  recordsRejected: 20,
  /** More records would change than MAX_UPDATE_PERCENT allows; nothing was changed. */
  updateGuard: 21,
  /** A rollback would no longer do what its preview said; nothing was changed. */
  previewChanged: 22,
  /** With BASELINE=hold: far more records would be added or updated than usual; nothing was changed. */
  unusualJump: 23,
  /** The plan is not kept any more, or it would no longer do what it said; nothing was changed. */
  planStale: 24,
  terminated: 143,
} as const;
