/** The interface of a sink that stores items, each at its latest revision, and updates them one by one in place. */

/** The stored state of an item. */
export type KnownItem = {
  readonly sha: string;
  readonly project: string;
  /** An earlier run found its file removed. */
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
  /** JSON as it was committed; the digits of its numbers are preserved. */
  readonly text: string;
  /** Earlier commits not yet applied, oldest first: they are logged; `text` is that of `latest`. */
  readonly unseen: readonly Commit[];
  readonly latest: Commit;
};

/** The item cannot be stored because of its content. */
export class UnfitItemError extends Error {
  override readonly name = 'UnfitItemError';
}

/** Each call is one transaction; a call that writes checks the fence. */
export type Items = {
  /** Creates missing tables. */
  prepare(): Promise<void>;
  known(ids: readonly string[]): Promise<Map<string, KnownItem>>;
  /** The commits among `shas` that were applied before. */
  applied(id: string, shas: readonly string[]): Promise<Set<string>>;
  /** @throws UnfitItemError, JobError */
  apply(revision: Revision): Promise<'added' | 'updated'>;
  /** Marks an item whose file was removed. It stays until `delete` removes it or a new revision arrives. */
  markRemoved(id: string): Promise<void>;
  /** The items that are marked as removed. */
  removed(): Promise<Map<string, KnownItem>>;
  /** Updates the project path of an unchanged item and clears its removed mark. */
  move(id: string, project: string): Promise<void>;
  /** Completes the run. @param watermark the new watermark; null: unchanged */
  finish(watermark: Date | null): Promise<void>;
};
