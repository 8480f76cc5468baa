/** What the history of a sink knows of one record. */
import type { StoryKind } from '../../domain/story.ts';

/** The record as it was, or is, in the sink. */
export type StoryValue = {
  /** When the record was changed at the source; null: at a time that no calendar of ours has. */
  readonly updatedAt: Date | null;
  /** Its JSON; null if that is longer than `MOST_RECORD_BYTES`. */
  readonly json: string | null;
};

export type StoryEntry = {
  readonly at: Date;
  readonly kind: StoryKind;
  /** The action of the job; null: the change set of the job is not kept any more. */
  readonly action: string | null;
  readonly jobUid: string | null;
  /** Of `held` and `kept`: why, as a `KeptReason`. */
  readonly reason: string | null;
  /** null: the record did not exist. Of `held` and `kept`: always null. */
  readonly before: StoryValue | null;
  readonly after: StoryValue | null;
  /** Names of the fields that differ; null unless the record existed before and after. */
  readonly changed: readonly string[] | null;
  /** The value that was found later is not the one that the job wrote. */
  readonly changedByOthers: boolean;
};

export type Story = {
  readonly live: StoryValue | null;
  /** Why it is live although a listing lacks it; null: no listing lacks it. */
  readonly kept: { readonly reason: string; readonly since: Date; readonly checked: Date } | null;
  /** When a full listing that had the live record was last applied; null: unknown, or the record is not live. */
  readonly lastSeen: Date | null;
  /**
   * The change set with which the history begins; null: there is none. A job that fills an empty table leaves no changes
   * of single records. `why`: why there is no way back to before it; null: older ones may have been deleted (KEEP_CHANGES).
   */
  readonly begins: {
    readonly at: Date;
    readonly action: string;
    readonly jobUid: string | null;
    readonly why: string | null;
  } | null;
  /** Newest first, at most {@link MOST_ENTRIES}. */
  readonly entries: readonly StoryEntry[];
  /** Entries that are older than these. */
  readonly older: number;
};

export const MOST_ENTRIES = 200;
/** Names of changed fields in one entry. */
export const MOST_FIELDS = 100;
