/** What every source can do. A source only reads; completeness is its promise, deciding what follows is not. */

export type SourceRecord = {
  readonly id: string;
  /** ISO 8601 with a zone. */
  readonly updated_at: string;
  /** All other fields. */
  readonly record: Readonly<Record<string, unknown>>;
};

/** How far a listing was read: `after` is the source's own word, `done` counts the records up to there. */
export type Cursor = { readonly after: string; readonly done: number };

export type SourceBatch = { readonly records: readonly SourceRecord[]; readonly cursor: Cursor };

export interface Source {
  /** As it may be shown: no credentials. */
  readonly shownAs: string;

  /** The source's own time, to be asked before reading begins, and how many records match; null if unknown. */
  survey(since: Date | null): Promise<{ readonly now: Date; readonly total: number | null }>;

  /**
   * Records changed at or after `since` (null: all), ordered by id in byte order, from after the cursor on.
   * Ends normally only if the listing was complete; else throws, and what it yielded is a part.
   */
  changedSince(since: Date | null, from: Cursor | null, batchSize: number): AsyncIterable<SourceBatch>;

  /** Every id, in batches. Ends normally only if each id was listed: an absent one may be deleted. */
  ids(): AsyncIterable<readonly string[]>;
}
