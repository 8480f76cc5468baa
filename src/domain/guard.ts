/**
 * Delete and update guards: decide whether a job may delete or change so many records. Every source, sink and
 * action uses the same verdicts. Pure.
 */

/** Removals allowed even in a small target, unless MAX_DELETE_RECORDS sets another number. */
export const ALWAYS_ALLOWED = 5;
export const DEFAULT_MAX_DELETE_PERCENT = 10;

export type GuardVerdict = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

export type DeleteVerdict =
  | { readonly allowed: true }
  /** `mayWait`: a person may be asked about these removals, and everything else applied. */
  | { readonly allowed: false; readonly mayWait: boolean; readonly why: string };

/**
 * @param live records in the target now
 * @param source records in the complete listing of the source
 * @param removals records that would be deleted
 * @param maxDeletePercent 0–100; 0 allows no deletion
 * @param maxDeleteRecords number allowed even if the percentage allows fewer
 * @param force `--force-delete`: lifts both limits, never the refusal of an empty source
 */
export function deleteVerdict(input: {
  live: number;
  source: number;
  removals: number;
  maxDeletePercent: number;
  maxDeleteRecords: number;
  force: boolean;
}): DeleteVerdict {
  const { live, source, removals, maxDeletePercent, maxDeleteRecords, force } = input;
  if (source === 0) return { allowed: false, mayWait: false, why: 'the source is empty' };
  if (force) return { allowed: true };
  const limit =
    maxDeletePercent === 0 ? 0 : Math.max(maxDeleteRecords, Math.floor((live * maxDeletePercent) / 100));
  if (removals <= limit) return { allowed: true };
  const set =
    maxDeletePercent === 0
      ? 'MAX_DELETE_PERCENT 0 allows none'
      : `MAX_DELETE_PERCENT ${maxDeletePercent}, MAX_DELETE_RECORDS ${maxDeleteRecords}`;
  return {
    allowed: false,
    mayWait: true,
    why: `${removals} of ${live} records would be deleted, more than the ${limit} allowed (${set})`,
  };
}

/**
 * @param live records in the target now
 * @param updates live records that would change
 * @param maxUpdatePercent 1–100; null: no limit
 */
export function updateVerdict(input: {
  live: number;
  updates: number;
  maxUpdatePercent: number | null;
}): GuardVerdict {
  const { live, updates, maxUpdatePercent } = input;
  if (maxUpdatePercent === null) return { allowed: true };
  const limit = Math.floor((live * maxUpdatePercent) / 100);
  if (updates <= limit) return { allowed: true };
  return {
    allowed: false,
    why: `${updates} of ${live} records would change, more than the ${limit} allowed (MAX_UPDATE_PERCENT ${maxUpdatePercent})`,
  };
}
