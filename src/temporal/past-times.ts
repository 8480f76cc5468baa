/** When a schedule should have fired last, by its own words: what Temporal tells is of firings to come. */
import { Cron } from 'croner';
import type { Schedule } from '../job-params.ts';

/** Tried for one that is found: a time that a change of the clocks leaves out is none. */
const TRIES = 3;

/** The `count` newest times not after now, newest first. */
export function pastTimes({ spec, timezone }: Schedule, now: Date, count: number): Date[] {
  if (spec.kind === 'every') {
    // Temporal counts intervals from 1970 on.
    const every = spec.seconds * 1000;
    const newest = Math.floor(now.getTime() / every) * every;
    return Array.from({ length: count }, (_, back) => new Date(newest - back * every));
  }
  const cron = new Cron(spec.cron, { timezone, paused: true });
  // What comes before is strictly before its start, and of whole seconds.
  const from = new Date(now.getTime() + 1_000);
  return cron
    .previousRuns(count * TRIES, from)
    .filter((at) => at <= now && cron.match(at))
    .slice(0, count);
}

/** Seconds since the first time after `since` that is not in the future; 0 where there is none. */
export function overdueSeconds({ spec, timezone }: Schedule, since: Date, now: Date): number {
  const first =
    spec.kind === 'every'
      ? new Date((Math.floor(since.getTime() / (spec.seconds * 1000)) + 1) * spec.seconds * 1000)
      : new Cron(spec.cron, { timezone, paused: true }).nextRun(since);
  return first === null || first > now ? 0 : (now.getTime() - first.getTime()) / 1000;
}
