/** What a sink can do that keeps items, each at its latest revision, changed one by one in place. */

/** What the sink has of an item. */
export type KnownItem = {
  readonly sha: string;
  readonly project: string;
  /** Its file was found removed. */
  readonly removed: boolean;
};

export type Commit = {
  readonly sha: string;
  /** ISO 8601 with a zone. */
  readonly at: string;
};

export type Revision = {
  readonly id: string;
  /** Path of the project that holds it. */
  readonly project: string;
  readonly file: string;
  /** JSON, as it was committed: its numbers are kept as they are written. */
  readonly text: string;
  /** Oldest first: they are written down, and the text is not theirs. */
  readonly unseen: readonly Commit[];
  readonly latest: Commit;
};

/** The item is nothing that can be kept: its own fault, not the sink's. */
export class UnfitItemError extends Error {
  override readonly name = 'UnfitItemError';
}

/** Each call is a transaction; those that write end with the fence. */
export type Items = {
  /** Makes what is missing. */
  prepare(): Promise<void>;
  known(ids: readonly string[]): Promise<Map<string, KnownItem>>;
  /** Those of the commits that were applied before. */
  applied(id: string, shas: readonly string[]): Promise<Set<string>>;
  /** @throws UnfitItemError, JobError */
  apply(revision: Revision): Promise<'added' | 'updated'>;
  /** Its file was removed; the item stays, and says so, until `delete` takes it or a revision comes. */
  markRemoved(id: string): Promise<void>;
  /** Those that are marked so. */
  removed(): Promise<Map<string, KnownItem>>;
  /** The item is the same, and there; its project may have another path. */
  move(id: string, project: string): Promise<void>;
  /** To be called when nothing is left to be done up to this time. */
  moveWatermark(watermark: Date): Promise<void>;
};
