/** Computes past and next due firings from a schedule's own text; Temporal lists only future ones. */
import { type Firing, firing, nextTime } from '../domain/firing-times.ts';
import type { Schedule } from '../job-params/load.ts';

const HOUR_MS = 3_600_000;
/** The search looks back an hour first, then this many times further: cron times can only be computed forwards. */
const FURTHER = 6;
/** The rarest expression, a 29 February on a given weekday, recurs at least every 40 years: two of them are found. */
const FURTHEST_MS = 100 * 366 * 24 * HOUR_MS;

/** The `count` newest times not after now, newest first. */
export function pastTimes({ spec, timezone }: Schedule, now: Date, count: number): Date[] {
  if (spec.kind === 'every') {
    // Temporal counts intervals from 1970 on.
    const every = spec.seconds * 1000;
    const newest = Math.floor(now.getTime() / every) * every;
    return Array.from({ length: count }, (_, back) => new Date(newest - back * every));
  }
  const of = firing(spec.cron, timezone);
  for (let span = HOUR_MS; ; span *= FURTHER) {
    const found = timesBetween(of, new Date(now.getTime() - span), now);
    if (found.length >= count || span > FURTHEST_MS) return found.slice(-count).toReversed();
  }
}

/** The firings after one time, up to and including the other, oldest first. */
function timesBetween(of: Firing, after: Date, until: Date): Date[] {
  const times: Date[] = [];
  for (let at = nextTime(of, after); at && at <= until; at = nextTime(of, at)) times.push(at);
  return times;
}

/** The first time after `since`; undefined if there is none. */
export function firstDue({ spec, timezone }: Schedule, since: Date): Date | undefined {
  if (spec.kind === 'cron') return nextTime(firing(spec.cron, timezone), since);
  const every = spec.seconds * 1000;
  return new Date((Math.floor(since.getTime() / every) + 1) * every);
}
