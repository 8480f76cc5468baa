/** A plan as people see it: what an apply of it would do. Pure. */
/** In the order in which they are shown. */
export const CHANGE_KINDS = ['added', 'updated', 'removed', 'held'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Actions that a plan can foretell. */
export const PLANNED_ACTIONS = ['sync', 'delta', 'delete'] as const;
export type PlannedAction = (typeof PLANNED_ACTIONS)[number];

/** One record that an apply would change, or hold. */
export type PlannedChange = {
  readonly id: string;
  readonly kind: ChangeKind;
  /** The live record as JSON, with its `updated_at`; null: it has none, or it is longer than `MOST_RECORD_BYTES`. */
  readonly before: string | null;
  readonly after: string | null;
};

export type PlanSummary = {
  /** The uid of the plan's job; that of the run without a job. */
  readonly uid: string;
  readonly of: PlannedAction;
  readonly digest: string;
  readonly live: number;
  readonly listed: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  /** Of the records that the listing lacks, those that would wait for an answer. */
  readonly held: number;
  /** Those that would stay for any reason. */
  readonly kept: number;
  /** The watermark that an apply would set. */
  readonly watermark: Date | null;
};

/** People are shown at most this many changes of a plan. */
export const MOST_SHOWN = 100_000;

/** Divides the room for shown changes, so that a kind with few changes is shown whole beside one with many. */
export function sharesOf(
  counts: Readonly<Record<ChangeKind, number>>,
  most: number,
): Record<ChangeKind, number> {
  const shares = { added: 0, updated: 0, removed: 0, held: 0 };
  let left = most;
  const smallestFirst = CHANGE_KINDS.toSorted((one, other) => counts[one] - counts[other]);
  for (const [at, kind] of smallestFirst.entries()) {
    shares[kind] = Math.min(counts[kind], Math.floor(left / (smallestFirst.length - at)));
    left -= shares[kind];
  }
  return shares;
}
