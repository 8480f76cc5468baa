/**
 * The delete guard: may this many records disappear? One verdict for `sync` (what a switch would lose) and
 * `delete` (what a removal would take). Pure. Thresholds: design.md §5.
 */

/** Fewer than this many removals are always allowed, however small the target. */
export const ALWAYS_ALLOWED = 5;
export const DEFAULT_MAX_DELETE_PERCENT = 10;

export type GuardVerdict = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

/**
 * @param live records in the target now
 * @param source records the source listed completely
 * @param removals records that would disappear
 * @param maxDeletePercent 0–100
 * @param force `--force-delete`: lifts the percentage, never the refusal of an empty source
 */
export function deleteVerdict(input: {
  live: number;
  source: number;
  removals: number;
  maxDeletePercent: number;
  force: boolean;
}): GuardVerdict {
  const { live, source, removals, maxDeletePercent, force } = input;
  if (source === 0) return { allowed: false, why: 'the source is empty' };
  if (force) return { allowed: true };
  const limit = Math.max(ALWAYS_ALLOWED, Math.floor((live * maxDeletePercent) / 100));
  if (removals <= limit) return { allowed: true };
  return {
    allowed: false,
    why: `${removals} of ${live} records would be deleted, more than the ${limit} allowed (MAX_DELETE_PERCENT ${maxDeletePercent})`,
  };
}
