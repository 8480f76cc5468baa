/** Report of a running program. A type only; the API's zod schema is checked against it. */

import type { Measure } from './baseline.ts';

export type Report = {
  /** Grows by one per report of an attempt, from 1; a report with a smaller number than the newest is ignored. */
  readonly seq: number;
  /** The program's own word for its current work: starting, reading, verifying, switching, done, failed … */
  readonly phase: string;
  readonly records_done?: number | undefined;
  /** Number of records expected in all; null while unknown. */
  readonly records_total?: number | null | undefined;
  readonly added?: number | undefined;
  readonly updated?: number | undefined;
  readonly deleted?: number | undefined;
  readonly failed?: number | undefined;
  /**
   * Where a retry continues, at most 56 KiB as JSON. Its meaning is the program's, except for `failed`, a list of
   * `{id, why}`: the page shows these failed items, and a resume does them alone.
   */
  readonly checkpoint?: unknown;
  readonly data_source?: string | undefined;
  readonly options?: string | undefined;
  readonly version?: string | undefined;
  /** Credentials are masked before it is stored. */
  readonly target_datastore_url?: string | undefined;
  readonly message?: string | undefined;
  /** The awaited event, in words; null once the wait is over. Shown as the job's `status_detail`. */
  readonly waiting_for?: string | null | undefined;
  /** Warnings about a run that continues or completed; at most 20, each at most 500 characters. */
  readonly warnings?: readonly string[] | undefined;
  /** Items or records set aside, at most 1,000 and 48 KiB as JSON. Replaces `checkpoint.failed`. */
  readonly failed_items?: readonly { readonly id: string; readonly why: string }[] | undefined;
  /** Number of records that stay live although the listing lacks them. */
  readonly kept?: number | undefined;
  /** Number of these whose removal waits for an answer. */
  readonly held?: number | undefined;
  /** ISO 8601: where the next delta starts reading; null: it compares everything. */
  readonly watermark?: string | null | undefined;
  /** Whether the listing was proven complete. */
  readonly listing?: 'complete' | 'unproven' | undefined;
  readonly rollback_preview?: RollbackPreview | undefined;
  /** Counts of this run that earlier runs of the target do not make usual; at most one of each measure. */
  readonly unusual?: readonly UnusualFigure[] | undefined;
};

/** A count that is not usual (src/domain/baseline.ts), with the range that is, and the counts of earlier runs. */
export type UnusualFigure = {
  readonly measure: Measure;
  readonly count: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** At most 14, oldest first; `at` is ISO 8601. */
  readonly earlier: readonly { readonly at: string; readonly count: number }[];
};

/** Facts of an attempt beside its progress: the newest value of each is kept. */
export const FACTS = [
  'waiting_for',
  'warnings',
  'failed_items',
  'kept',
  'held',
  'watermark',
  'listing',
  'rollback_preview',
  'unusual',
] as const;
export type ReportFacts = Pick<Report, (typeof FACTS)[number]>;

/** The effect that a rollback would have on the sink; reported by `rollback --preview`, which changes nothing. */
export type RollbackPreview = {
  /** The job that the rollback goes back to before, as the sink knows it. */
  readonly before: {
    readonly job_id: number | null;
    readonly job_uid: string | null;
    readonly action: string;
    /** ISO 8601. */
    readonly applied_at: string;
  };
  /** Records that would come back, change or be deleted. */
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  /** Number of these that somebody else has changed since our jobs wrote them. */
  readonly changed_by_others: number;
  /** Identifies exactly this effect: `rollback --expect <digest>` refuses any other. */
  readonly digest: string;
  /** ISO 8601; null: the next delta compares everything. */
  readonly watermark: string | null;
  /** The rollback is limited to some records; other changes stay. */
  readonly some_records?: boolean | undefined;
  /** At most 20. `fields` names the differing fields, at most 20; without values, since reads may be public. */
  readonly sample: readonly {
    readonly id: string;
    readonly change: 'added' | 'updated' | 'removed';
    readonly fields: readonly string[];
  }[];
};

/**
 * Points of a job's progress that a chart shows. Reports of an ended attempt are thinned to about this number,
 * those of a running one to twice as many.
 */
export const REPORT_POINTS = 500;
