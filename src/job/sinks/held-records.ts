/** The interface of a sink that holds removals: the waiting set, and the removal of approved records. */
import type { Applied, Turn } from './sink.ts';

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

export type Removal = {
  add(batch: ApprovedBatch, turn: Turn): Promise<void>;
  /** Removes, of the ids that are gone, those that are held: all or nothing. */
  apply(): Promise<Applied>;
};

export type HeldRecords = {
  /** Live records in the sink. */
  live(): Promise<number>;
  /** The waiting set in byte order of the ids, some records at a time. Reads only. */
  read(): AsyncIterable<readonly HeldRecord[]>;
  beginRemoval(): Promise<Removal>;
};
