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

/** The first time after `since`; undefined where there is none. */
export function firstDue({ spec, timezone }: Schedule, since: Date): Date | undefined {
  if (spec.kind === 'cron')
    return new Cron(spec.cron, { timezone, paused: true }).nextRun(since) ?? undefined;
  const every = spec.seconds * 1000;
  return new Date((Math.floor(since.getTime() / every) + 1) * every);
}
