/** Finds the firings of a schedule that a daylight-saving change skips or doubles. */
import { firing, nextTime, offsets } from '../domain/firing-times.ts';

export type ClockChange = {
  /** The time by the zone's clock, without a zone: `2027-03-28T02:30`. */
  readonly localTime: string;
  /** `gap`: the local time does not exist that day. `overlap`: it exists twice. */
  readonly kind: 'gap' | 'overlap';
  /**
   * When Temporal fires for it: never in a gap; in an overlap at one of the two times, which Temporal chooses, or
   * not at all.
   */
  readonly fires: readonly Date[];
};

/** Upper bound of the result: a minutely schedule has sixty times in one overlap. */
const MOST = 60;

/**
 * Finds the clock changes between now and the last coming firing that affect times of the cron expression.
 * @param coming the next firings as Temporal has them, in order
 */
export function clockChanges(
  schedule: { readonly cron: string; readonly timezone: string },
  now: Date,
  coming: readonly Date[],
): ClockChange[] {
  const offsetAt = offsets(schedule.timezone);
  // Local times are computed as if they were UTC, where every day has each hour once.
  const wall = firing(schedule.cron, 'UTC');
  const fires = new Set(coming.map((at) => at.getTime()));
  const found = new Map<string, ClockChange>();
  [now, ...coming].forEach((from, index) => {
    const to = coming[index];
    if (!to) return;
    const [before, after] = [offsetAt(from), offsetAt(to)];
    if (before === after) return;
    const last = Math.max(to.getTime() + before, to.getTime() + after);
    // `nextTime` returns times strictly after its start.
    let local = nextTime(wall, new Date(Math.min(from.getTime() + before, from.getTime() + after) - 1_000));
    for (; local && local.getTime() <= last && found.size < MOST; local = nextTime(wall, local)) {
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
