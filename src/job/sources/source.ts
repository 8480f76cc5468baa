/** The interface of every source. A source only reads and reports its findings; the actions decide. */
export type SourceRecord = {
  readonly id: string;
  /** ISO 8601 with a zone; checked, so Postgres and `Date` both take it. */
  readonly updated_at: string;
  /** All other fields. */
  readonly record: Readonly<Record<string, unknown>>;
};

/** A record that was set aside. The texts contain none of its data. */
export type RejectedRecord = {
  /** `line 2 of the first page` … */
  readonly where: string;
  /** null: the id is not readable, so the listing is incomplete. */
  readonly id: string | null;
  readonly why: string;
};

/** A record that the source itself says it has deleted. */
export type GoneRecord = {
  readonly id: string;
  /** When it was deleted, or changed last before that: a record with a later `updated_at` is a newer one. */
  readonly at: string;
};

/** Position in a listing: `after` is the last id, `done` counts the records up to it, including rejected and deleted ones. */
export type Cursor = { readonly after: string; readonly done: number };

export type SourceBatch = {
  /** In byte order of their ids, each once. */
  readonly records: readonly SourceRecord[];
  readonly rejected: readonly RejectedRecord[];
  /** Deleted since the time of the listing; their ids are none of the others, and in byte order with them. */
  readonly gone?: readonly GoneRecord[];
  readonly cursor: Cursor;
};

export type IdBatch = {
  readonly ids: readonly string[];
  readonly rejected: readonly RejectedRecord[];
  readonly cursor: Cursor;
};

/** Whether the last listing was proven complete, and the reason in words. */
export type Evidence = { readonly complete: boolean; readonly words: string };

/** The source's clock, as far as its answers reveal it. */
export type SourceClock = {
  /** The earliest `Date − Age` of all answers so far; null without such a header. */
  readonly earliest: Date | null;
  /** The largest difference from our clock, in milliseconds; positive if the source is ahead. */
  readonly skewMs: number;
};

/** A text of the source's own by which it goes on behind an earlier listing. The sink keeps it with the watermark. */
export type SourceState = {
  /** Called before the survey of a delta. @param last what the sink has kept; null: the delta lists everything */
  readonly begin: (last: string | null) => void;
  /** The coming listing goes on, so it lists changes alone although it is not asked for those since a time. */
  readonly continues: () => boolean;
  /** Where a delta can go on after the listing that ended last; null: nowhere. Holds data: no log shows it. */
  readonly reached: () => string | null;
};

export interface Source {
  /** The source as it appears in logs and reports, without credentials. */
  readonly shownAs: string;
  /**
   * `everything`: the source cannot list changes alone, so a delta compares all records and there is no
   * watermark.
   */
  readonly lists: 'changes' | 'everything';
  /**
   * The records have no time of their own: `updated_at` is the time of the run that first saw or changed them, and
   * comparisons leave it out.
   */
  readonly stamps?: boolean;
  /** Fingerprint of the settings by which records are read and changed; a load is not resumed under other ones. */
  readonly mapping?: string;

  /** The number of matching records, with the deletions that the listing tells; null if unknown. Waits up to 60 s for an unreachable source. */
  survey(since: Date | null): Promise<{ readonly total: number | null }>;

  /**
   * Lists the records changed at or after `since` (null: all), in byte order of their ids, after the cursor. A batch
   * ends at `batchSize` records or at 4 MiB. With `since`, a source that knows them also tells the deletions since then.
   *
   * @throws IncompleteListingError if the listing is provably incomplete
   */
  changedSince(since: Date | null, from: Cursor | null, batchSize: number): AsyncIterable<SourceBatch>;

  /** Lists every id, in byte order. @throws IncompleteListingError if the listing is provably incomplete */
  ids(batchSize: number): AsyncIterable<IdBatch>;

  /** The evidence about the listing that ended last. */
  evidence(): Promise<Evidence>;

  /** Warnings about the records that were listed last. */
  remarks?(): readonly string[];

  /** Asks for each of these ids (in byte order) and returns those that the source still has. */
  stillThere(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** `stillThere` reads the whole source, so that it should be asked for many ids at once. */
  readonly rereads?: boolean;

  readonly state?: SourceState;

  clock(): SourceClock;

  /** Ends sessions with the source, where it has any. */
  close?(): Promise<void>;
}
