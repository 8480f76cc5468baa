/** Report of a running program. A type only: the API's zod schema is checked against it. */

export type Report = {
  /** Grows by one per report of one attempt, from 1; an older one than already seen is ignored. */
  readonly seq: number;
  /** The program's own word for what it is doing: starting, reading, verifying, switching, done, failed … */
  readonly phase: string;
  readonly records_done?: number | undefined;
  /** How many it expects in all; null while unknown. */
  readonly records_total?: number | null | undefined;
  readonly added?: number | undefined;
  readonly updated?: number | undefined;
  readonly deleted?: number | undefined;
  readonly failed?: number | undefined;
  /**
   * Where a retry goes on, at most 56 KiB as JSON; opaque to us but for `failed`, a list of `{id, why}`: the items that
   * failed, which are shown, and which a resume does alone.
   */
  readonly checkpoint?: unknown;
  readonly data_source?: string | undefined;
  readonly options?: string | undefined;
  readonly version?: string | undefined;
  /** Credentials are masked before it is stored. */
  readonly target_datastore_url?: string | undefined;
  readonly message?: string | undefined;
  /** For what the program waits, in words; null when it no longer does. Shown as the job's `status_detail`. */
  readonly waiting_for?: string | null | undefined;
  /** What an operator should know of a run that goes on or ended well; at most 20, each at most 500 characters. */
  readonly warnings?: readonly string[] | undefined;
  /** Items or records set aside, at most 1,000 and 48 KiB as JSON. Wins over `checkpoint.failed`. */
  readonly failed_items?: readonly { readonly id: string; readonly why: string }[] | undefined;
  /** Records that are live though the listing lacks them. */
  readonly kept?: number | undefined;
  /** ISO 8601: from when the next delta reads; null: it compares everything. */
  readonly watermark?: string | null | undefined;
  /** Whether the listing was seen to be complete. */
  readonly listing?: 'complete' | 'unproven' | undefined;
  readonly rollback_preview?: RollbackPreview | undefined;
};

/** What outlives the progress of an attempt: kept of it as it was told last. */
export const FACTS = [
  'waiting_for',
  'warnings',
  'failed_items',
  'kept',
  'watermark',
  'listing',
  'rollback_preview',
] as const;
export type ReportFacts = Pick<Report, (typeof FACTS)[number]>;

/** What a rollback would do to the sink; made by `rollback --preview`, which changes nothing. */
export type RollbackPreview = {
  /** The job before which it goes back, as the sink knows it. */
  readonly before: {
    readonly job_id: number | null;
    readonly job_uid: string | null;
    readonly action: string;
    /** ISO 8601. */
    readonly applied_at: string;
  };
  /** Records that would come back, change, and go. */
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  /** Of these, records that somebody else has changed since our jobs wrote them. */
  readonly changed_by_others: number;
  /** Names exactly this effect: `rollback --expect <digest>` refuses any other. */
  readonly digest: string;
  /** ISO 8601; null: the next delta compares everything. */
  readonly watermark: string | null;
  /** At most 20. `fields` names what differs, at most 20; no values, since reads may be public. */
  readonly sample: readonly {
    readonly id: string;
    readonly change: 'added' | 'updated' | 'removed';
    readonly fields: readonly string[];
  }[];
};

/**
 * Points of a job's progress that a chart shows. Reports of an ended attempt are thinned to about this number, of a
 * running one to twice as many.
 */
export const REPORT_POINTS = 500;
