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

/**
 * @param next firings to come, soonest first, at least two, as Temporal tells them
 * @returns undefined where nothing can be told: a schedule that is new, or Temporal is away
 */
export function freshnessOf(of: {
  lastSuccess: string | null;
  next: readonly string[] | null;
  /** It has fired, or should have, since it was made: before that nothing is promised. */
  hasFired: boolean;
  isActive: boolean;
  now: number;
}): Freshness | undefined {
  const [soonest, following] = of.next ?? [];
  if (soonest === undefined || following === undefined) return undefined;
  const period = Date.parse(following) - Date.parse(soonest);
  const newest = Date.parse(soonest) - period;
  const last = of.lastSuccess === null ? -Infinity : Date.parse(of.lastSuccess);
  if (last >= newest) return 'fresh';
  if (of.lastSuccess === null && !of.hasFired) return undefined;
  if (last < newest - period && !of.isActive) return 'late';
  return of.isActive || of.now - newest < period * PATIENCE ? 'due' : 'late';
}
