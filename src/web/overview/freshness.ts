/** Compares the age of a target's data with its schedule. Pure. */

export type Freshness =
  /** A job succeeded since the newest firing. */
  | 'fresh'
  /** The newest firing's job may still be running. */
  | 'due'
  /** A firing passed without a success. */
  | 'late';

/** Fraction of the schedule's period that a run may take before its data counts as late. */
const PATIENCE = 0.25;

/** @returns undefined if unknown: the schedule is new, or Temporal is unavailable */
export function freshnessOf(of: {
  lastSuccess: string | null;
  /** Latest nominal firing times, newest first, at least two. */
  previous: readonly string[];
  /** Next firing times from Temporal, soonest first. */
  next: readonly string[] | null;
  /** Whether the schedule has fired, or missed a firing, since its creation; before that no data can be late. */
  hasFired: boolean;
  isActive: boolean;
  now: number;
}): Freshness | undefined {
  const [newest, before, soonest] = [of.previous[0], of.previous[1], of.next?.[0]].map((time) =>
    Date.parse(time ?? ''),
  );
  if (!newest || !before || !soonest) return undefined;
  const last = of.lastSuccess === null ? -Infinity : Date.parse(of.lastSuccess);
  if (last >= newest) return 'fresh';
  if (of.lastSuccess === null && !of.hasFired) return undefined;
  if (of.isActive) return 'due';
  const period = Math.min(newest - before, soonest - newest);
  return last >= before && of.now - newest < period * PATIENCE ? 'due' : 'late';
}
