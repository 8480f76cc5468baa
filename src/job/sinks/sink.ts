/**
 * The interface of every sink: stage a listing beside the live data, compute the difference, and apply it under the
 * fence. Every write checks that no newer run holds the fence, in the same transaction if the sink has transactions.
 */
import type { Plannable } from '../../domain/action.ts';
import type { RunFigures } from '../../domain/baseline.ts';
import type { RollbackPreview } from '../../domain/report.ts';
import type { GoneRecord, RejectedRecord, SourceRecord } from '../sources/source.ts';
import type { ApprovedBatch, HeldRecord } from './held-records.ts';
import type { Items } from './items.ts';
import type { Story } from './story.ts';
import type { PlannedChange, PlanSummary } from './plans.ts';

/**
 * The content of a load: `everything` in the source (sync), the `changes` since a watermark (delta), or all `ids`
 * (delete).
 */
export type LoadMode = 'everything' | 'changes' | 'ids';

export type BeginLoad = {
  readonly mode: LoadMode;
  /** Start of the listed changes; null: everything. */
  readonly since: Date | null;
  /** When reading began, by our clock; a resumed load keeps the time of its first attempt. */
  readonly began: Date;
  /** The load to resume, if it still exists with the same mode and `since`. */
  readonly resume: string | null;
};

/** A load in progress, beside the live data. */
export type Load = {
  readonly id: string;
  readonly mode: LoadMode;
  readonly began: Date;
  readonly cursor: string | null;
  readonly done: number;
  readonly resumed: boolean;
};

export type LoadBatch = {
  readonly records: readonly SourceRecord[];
  /** Ids that the source lists without a usable record: their live records stay. */
  readonly listed: readonly string[];
  /**
   * Deleted in the source, as it says itself; only in a load of `changes`. Of these, `apply` removes those that are live and
   * not newer than their deletion.
   */
  readonly gone?: readonly GoneRecord[];
  readonly from: string | null;
  readonly to: string;
};

/**
 * Why a record stays live although the listing lacks it. `not_ours`: it existed before our first sync. `held`: too many
 * were missing at once, so its removal waits for an answer.
 */
export const KEPT_REASONS = [
  'no_evidence',
  'answered',
  'referenced',
  'rolled_back',
  'not_ours',
  'held',
] as const;
export type KeptReason = (typeof KEPT_REASONS)[number];
export type Kept = Readonly<Partial<Record<KeptReason, number>>>;

/** The effect of applying a load, in records. */
export type Difference = {
  readonly live: number;
  readonly listed: number;
  readonly added: number;
  readonly updated: number;
  /** Records to remove; for the judge, with those that have been held before. */
  readonly removed: number;
  /** Records that the listing lacks and that stay, by reason. */
  readonly kept: Kept;
  /**
   * Changed records whose time lies before the watermark, so no delta could find them. `latestMs`: the largest
   * gap.
   */
  readonly missed: { readonly count: number; readonly latestMs: number } | null;
  /** Bytes of the listed records as the sink holds them, or as JSON; missing: not measured. */
  readonly bytes?: number | undefined;
  /** Seconds from the begin of the load; missing for a resumed one, and where not measured. */
  readonly seconds?: number | undefined;
};

/**
 * Anything but `apply`: additions and updates are applied, and every removal waits for an answer. `hold_unusual`: they
 * are within the limits, but more than earlier runs removed.
 */
export type Judgement = 'apply' | 'hold' | 'hold_unusual';

export type ApplyPlan = {
  /** false: the listing is not proven complete, so records that it lacks stay. A load of `changes` removes only what is told. */
  readonly mayRemove: boolean;
  /** `--force-delete`: also removes records that are held, that a rollback restored, or that existed before our first sync. */
  readonly force: boolean;
  /** Ids that the source still has, from the re-check; null: not re-checked yet. */
  readonly answered: ReadonlySet<string> | null;
  /** Holds only if the sink can. @throws JobError for a difference that must not be applied */
  readonly judge: (difference: Difference) => Judgement;
  /** Maximum number of records that the sink may refuse. */
  readonly mayReject: number;
  /** Start of the next delta; null: it compares everything; `keep`: unchanged. */
  readonly watermark: Date | null | 'keep';
  /** Where the source goes on (Source.state); null or missing: nowhere, so that the next delta compares everything. */
  readonly sourceState?: string | null;
  /** The source's times have no time of day. */
  readonly coarseTimes: boolean;
  /** The records' times are those of runs (`Source.stamps`): the comparison leaves them out. */
  readonly stamped?: boolean;
  /** The bytes of a full listing are of use; a sink may leave them out. */
  readonly weigh?: boolean;
  /** The full listing was proven complete. */
  readonly proven: boolean;
};

export type Applied = Difference & {
  readonly rejected: readonly RejectedRecord[];
  /** Removals were held although they were within the limits. */
  readonly heldAsUnusual?: true | undefined;
  /** Removed records of which no whole copy could be kept, so that no rollback restores them by id; missing: none. */
  readonly withoutCopy?: number | undefined;
};

/** The counts of a step that changed no record. */
export const NOTHING_APPLIED: Applied = {
  live: 0,
  listed: 0,
  added: 0,
  updated: 0,
  removed: 0,
  kept: {},
  missed: null,
  rejected: [],
};

/** Maximum number of ids to re-check before a removal; beyond it a sample. */
export const MOST_ASKED = 1_000;

export type ApplyResult =
  /** Nothing was changed: re-check these ids first (all ids to remove, or an even sample of 1,000). */
  | { readonly kind: 'ask'; readonly ids: readonly string[] }
  | { readonly kind: 'applied'; readonly applied: Applied };

/** The sink's state of the live data. */
export type LiveState = {
  /** false: no sync has been applied yet. */
  readonly synced: boolean;
  readonly empty: boolean;
  readonly watermark: Date | null;
  readonly coarseTimes: boolean;
  /** The last full listing was proven complete, so the next one must be too. */
  readonly proven: boolean;
};

/** The state of the sink that a sync would meet. */
export type SinkLook = {
  /** false: the first sync creates it. */
  readonly exists: boolean;
  /** Records in it. */
  readonly live: number;
  /** Of them, those that a sync keeps although the source lacks them, unless it has `--force-delete`. */
  readonly kept: number;
  /** false: no sync has been applied yet. */
  readonly synced: boolean;
  /** Records whose removal waits for an answer; missing: the sink cannot hold removals. */
  readonly held?: number;
  readonly warnings: readonly string[];
  /** How a sync changes the columns of the table, in words; missing: not at all. */
  readonly migration?: string;
};

export type RollbackTo = {
  /** Uid of the job to undo, with all later ones; null: the last sync that is not undone. */
  readonly before: string | null;
  /** The digest of a preview, which must equal that of the rollback. */
  readonly expect: string | null;
  /** Limits it to some records; missing: all that changed since. Sinks without change sets restore removed records only. */
  readonly only?: RollbackLimit;
};

/** Records by id, or all that the job `before` changed. Other records, the watermark and later jobs stay. */
export type RollbackLimit = { readonly ids: readonly string[] } | 'of the job';

/** Earlier values that were erased, and the records among them that are live still. */
export type Forgotten = { readonly values: number; readonly live: readonly string[] };

/** Resolves once all earlier batches are committed. A batch commits only after that, so cursors leave no gap. */
export type Turn = Promise<unknown>;

export type Removal = {
  add(batch: ApprovedBatch): Promise<void>;
  /** Removes, of the ids that are gone, those that are held: all or nothing. */
  apply(): Promise<Applied>;
};

export type HeldRecords = {
  /** True if this job held removals that were within the limits. */
  isUnusual(): Promise<boolean>;
  /** Live records in the sink. */
  live(): Promise<number>;
  /** The waiting set in byte order of the ids, some records at a time. Reads only. */
  read(): AsyncIterable<readonly HeldRecord[]>;
  /** Drops the load of an earlier attempt. */
  beginRemoval(): Promise<Removal>;
};

export type AppliedPlan = {
  readonly applied: Applied;
  readonly of: Plannable;
  readonly watermark: Date | null;
  /** The listing of the plan was proven complete; null: a delta lists changes alone. */
  readonly proven: boolean | null;
};

export interface Plans {
  /** The plan that this run has made. */
  made(): PlanSummary;
  /** Its changes for people: at most `MOST_PLAN_RECORDS`, by kind and then by id, some at a time. */
  shown(): AsyncIterable<readonly PlannedChange[]>;
  /** Drops what was kept for `shown` alone. */
  dropShown(): Promise<void>;
  /** Does exactly what the plan says. @throws JobError `planStale`, and then nothing is changed */
  apply(plan: { readonly uid: string; readonly digest: string }): Promise<AppliedPlan>;
}

export interface Sink {
  /** The sink as it appears in logs and reports, without credentials. */
  readonly shownAs: string;
  /** The table or alias that is written, in words. */
  readonly place: string;

  /** Smallest useful batch, in records. */
  readonly leastBatch: number;
  /** Loads of this mode write straight into the live data: a failed run leaves its writes there. */
  readonly writesAtOnce: LoadMode | null;

  /**
   * Checks the sink and takes its fence for this run. @throws JobError `fenced` if a newer job has written to it
   *
   * @returns the counts if an earlier attempt has already applied this step; else null
   */
  open(): Promise<Applied | null>;

  live(): Promise<LiveState>;

  /**
   * Tests what `open` needs, also rights and ownership, without an opened sink. Leaves nothing behind and does not take
   * the fence, so that it may run beside a job. @throws JobError as `open`
   */
  look(): Promise<SinkLook>;

  beginLoad(input: BeginLoad): Promise<Load>;
  loadBatch(load: Load, batch: LoadBatch, turn: Turn): Promise<void>;
  /** Applies the whole load or nothing. */
  apply(load: Load, plan: ApplyPlan): Promise<ApplyResult>;
  dropLoad(load: Load): Promise<void>;

  /** Reads only; does not take the fence. */
  previewRollback(to: RollbackTo): Promise<RollbackPreview>;
  /**
   * Safe to repeat by the same job and by jobs that resume it.
   * @throws JobError `nothingToRollBack` without earlier data
   */
  rollback(to: RollbackTo): Promise<Applied>;
  /** Makes this installation, target and environment the owner and begins a new history. */
  takeOver(): Promise<void>;

  /** Only in sinks that can store an item bank. */
  readonly items?: Items;
  /** Only in sinks that can hold removals; the others refuse them. */
  readonly held?: HeldRecords;
  /** Erases the earlier values of records. Safe to repeat. */
  forget(ids: readonly string[]): Promise<Forgotten>;
  /** Reads only; does not take the fence. Only in sinks with change sets. */
  readonly story?: (id: string) => Promise<Story>;
  readonly plans: Plans;
  /** The counts of earlier runs of this action, without first loads and without runs that a rollback has undone. */
  earlierRuns(): Promise<readonly RunFigures[]>;

  /** Where the source of the live data goes on; null: nowhere. Only in sinks that can keep it. */
  readonly sourceState?: () => Promise<string | null>;

  close(): Promise<void>;
}
