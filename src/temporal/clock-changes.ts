/** What a change of the clocks does to the coming firings of a schedule: which of its times are not there, or twice. */
import { Cron } from 'croner';

export type ClockChange = {
  /** The time by the zone's clock, without a zone: `2027-03-28T02:30`. */
  readonly localTime: string;
  /** `gap`: that time does not come. `overlap`: it comes twice. */
  readonly kind: 'gap' | 'overlap';
  /** When Temporal fires for it: never in a gap; in an overlap the one of the two that it chose, or none. */
  readonly fires: readonly Date[];
};

/** A schedule of every minute has sixty times in one overlap; more are not told. */
const MOST = 60;

/**
 * Asks of each change of the clocks from now to the last coming firing which times of the cron expression it hits.
 * @param coming the next firings as Temporal has them, in order
 */
export function clockChanges(
  schedule: { readonly cron: string; readonly timezone: string },
  now: Date,
  coming: readonly Date[],
): ClockChange[] {
  const offsetAt = offsets(schedule.timezone);
  // By the zone's clock, taken as if it were UTC's: there every day has all its hours once.
  const wall = new Cron(schedule.cron, { timezone: 'UTC', paused: true });
  const fires = new Set(coming.map((at) => at.getTime()));
  const found = new Map<string, ClockChange>();
  [now, ...coming].forEach((from, index) => {
    const to = coming[index];
    if (!to) return;
    const [before, after] = [offsetAt(from), offsetAt(to)];
    if (before === after) return;
    const last = Math.max(to.getTime() + before, to.getTime() + after);
    // What comes next is strictly behind its start.
    let local = wall.nextRun(new Date(Math.min(from.getTime() + before, from.getTime() + after) - 1_000));
    for (; local && local.getTime() <= last && found.size < MOST; local = wall.nextRun(local)) {
      const time = local.getTime();
      const instants = [before, after].map((offset) => [time - offset, offset] as const);
      const real = instants.filter(([at, offset]) => offsetAt(new Date(at)) === offset).map(([at]) => at);
      if (real.length === 1) continue;
      const localTime = local.toISOString().slice(0, 16);
      found.set(localTime, {
        localTime,
        kind: real.length === 0 ? 'gap' : 'overlap',
        fires: real.filter((at) => fires.has(at)).map((at) => new Date(at)),
      });
    }
  });
  return [...found.values()];
}

/** How far the zone's clock is ahead of UTC, in milliseconds, at a time. */
function offsets(timezone: string): (at: Date) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
  return (at) => {
    const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  };
}
