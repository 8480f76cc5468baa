/** A plan as people see it: what an apply of it would do. Pure. */
import type { Plannable } from '../../domain/action.ts';
import { PLAN_KINDS, type PlanKind } from '../../domain/change-plan.ts';

/** One record that an apply would change, or hold. */
export type PlannedChange = {
  readonly id: string;
  readonly kind: PlanKind;
  /** The live record as JSON, with its `updated_at`; null: it has none, or it is longer than `MOST_RECORD_BYTES`. */
  readonly before: string | null;
  readonly after: string | null;
};

export type PlanSummary = {
  /** The uid of the plan's job; that of the run without a job. */
  readonly uid: string;
  readonly of: Plannable;
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

/** Divides the room for shown changes, so that a kind with few changes is shown whole beside one with many. */
export function sharesOf(counts: Readonly<Record<PlanKind, number>>, most: number): Record<PlanKind, number> {
  const shares = { added: 0, updated: 0, removed: 0, held: 0 };
  let left = most;
  const smallestFirst = PLAN_KINDS.toSorted((one, other) => counts[one] - counts[other]);
  for (const [at, kind] of smallestFirst.entries()) {
    shares[kind] = Math.min(counts[kind], Math.floor(left / (smallestFirst.length - at)));
    left -= shares[kind];
  }
  return shares;
}
