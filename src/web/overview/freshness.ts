/** Whether a target's data is as new as its schedule promises. Pure. */

export type Freshness =
  /** It has succeeded since its newest firing. */
  | 'fresh'
  /** Its newest firing may still be under way. */
  | 'due'
  /** A firing has passed without a success. */
  | 'late';

/** Of its period, the part that a run may take before its data counts as late. */
const PATIENCE = 0.25;

/** @returns undefined where nothing can be told: a schedule that is new, or Temporal is away */
export function freshnessOf(of: {
  lastSuccess: string | null;
  /** When it should have fired last, newest first, at least two. */
  previous: readonly string[];
  /** Firings to come, soonest first, as Temporal tells them. */
  next: readonly string[] | null;
  /** It has fired, or should have, since it was made: before that nothing is promised. */
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
