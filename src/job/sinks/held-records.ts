/** The records that a sink holds: live, though the listing lacks them, until somebody has answered. */

/** A live record that the listing lacks and whose removal waits for an answer. */
export type HeldRecord = {
  readonly id: string;
  /** When a listing first lacked it. */
  readonly missingSince: Date;
  /** When the newest full listing that had it was applied; null: unknown. */
  readonly lastSeen: Date | null;
  readonly updatedAt: Date;
  /** The live record as JSON; null if that is longer than {@link MOST_RECORD_BYTES}. */
  readonly json: string | null;
};

export const MOST_RECORD_BYTES = 64 * 1024;

/** Approved ids, divided by what the source answered just now. */
export type ApprovedBatch = {
  /** Ids that the source has again: they stay, and wait no longer. */
  readonly there: readonly string[];
  readonly gone: readonly string[];
};
