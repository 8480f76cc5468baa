/**
 * Exit codes of the sync program, part of its contract (design.md §5): how a runner that sees nothing but the
 * code can still say why. 143 = 128 + SIGTERM by shell convention.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Wrong arguments; nothing was touched. */
  usage: 2,
  /** A guard refused to delete or to switch; the data are as before. */
  deleteGuard: 3,
  /** Settings of source or sink are missing or unusable; nothing was touched. */
  notConfigured: 4,
  /** The first report was refused: this attempt must not run; nothing was touched. */
  refused: 5,
  /** A newer job has written to the sink; this one's batch was rolled back. */
  fenced: 6,
  /** Rollback was asked for and no earlier generation is kept. */
  nothingToRollBack: 7,
  /** The source cannot be reached: its name is unknown, or nobody listens. */
  sourceUnreachable: 8,
  /** The source was reached, and did not answer in time. */
  sourceTimeout: 9,
  /** The source refused our credentials. */
  sourceUnauthorized: 10,
  /** Some items failed for good and are listed; all others are done. A resume tries those alone. */
  itemsFailed: 11,
  terminated: 143,
} as const;
