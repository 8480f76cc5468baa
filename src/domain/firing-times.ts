/**
 * Computes the next firing of a cron expression as Temporal's server does (service/worker/scheduler/calendar.go),
 * also in nights in which the clocks change: a time that the clock shows twice may fire for one, for both or for
 * none. Pure.
 */
import { type Cron, parseCron } from './cron.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Temporal looks no further than this year. */
const LAST_YEAR = 2100;

export type Firing = { readonly cron: Cron; readonly timezone: string };

/** @throws Error for an expression that a params file may not have */
export function firing(cron: string, timezone: string): Firing {
  const parsed = parseCron(cron);
  if ('error' in parsed) throw new Error(parsed.error);
  return { cron: parsed, timezone };
}

/** The first time after `since`; undefined if there is none. */
export function nextTime({ cron, timezone }: Firing, since: Date): Date | undefined {
  const zone = zoneOf(timezone);
  const start = Math.floor(since.getTime() / SECOND) * SECOND;
  let at = zone.wall(start) + SECOND;
  /** True for the second of two times that the clock shows alike. */
  let isSecond = hourOf(zone.wall(start - HOUR)) === hourOf(zone.wall(start));
  let carriesHour = at % HOUR === 0;
  for (;;) {
    if (carriesHour) {
      // The hour is over. If the next one is two hours away, the clock shows the past one again.
      const isBack = !isSecond && zone.time(at) - zone.time(at - HOUR) > HOUR;
      if (isBack) at -= HOUR;
      isSecond = isBack;
      carriesHour = false;
    }
    if (new Date(at).getUTCFullYear() > LAST_YEAR) return undefined;
    if (!isDay(cron, zone, at)) {
      at = nextDay(cron, floor(at, DAY));
      isSecond = false;
      continue;
    }
    if (!cron.hour.has(hourOf(at))) {
      at = floor(at, HOUR) + HOUR;
      isSecond = false;
      continue;
    }
    // A minute that has begun has lost its first second.
    if (!cron.minute.has(minuteOf(at)) || at % MINUTE !== 0) {
      at = floor(at, MINUTE) + MINUTE;
      carriesHour = at % HOUR === 0;
      continue;
    }
    const time = zone.time(at);
    if (hourOf(zone.wall(time)) === hourOf(at)) return new Date(time + (isSecond ? HOUR : 0));
    // The clocks skip this hour.
    at = floor(at, HOUR) + HOUR;
  }
}

/** The reading of the zone's clock, taken as if it were UTC; times are numbers of milliseconds. */
type Zone = {
  readonly wall: (time: number) => number;
  /** A time at which the clock shows this: one of two if it shows it twice, a near one if it never does. */
  readonly time: (wall: number) => number;
};

function zoneOf(timezone: string): Zone {
  const offsetAt = offsets(timezone);
  return {
    wall: (time) => time + offsetAt(new Date(time)),
    // The same choice as Go's time.Date.
    time: (wall) => {
      const offset = offsetAt(new Date(wall));
      return offset === 0 ? wall : wall - offsetAt(new Date(wall - offset));
    },
  };
}

function isDay(cron: Cron, zone: Zone, at: number): boolean {
  const date = new Date(at);
  if (!cron.month.has(date.getUTCMonth() + 1) || !cron.dayOfMonth.has(date.getUTCDate())) return false;
  // If the clocks skip midnight, this may be the day before.
  return cron.dayOfWeek.size === 7 || cron.dayOfWeek.has(new Date(zone.wall(zone.time(at))).getUTCDay());
}

/** Skips whole months that do not match. */
function nextDay(cron: Cron, day: number): number {
  const date = new Date(day);
  return cron.month.has(date.getUTCMonth() + 1)
    ? day + DAY
    : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

const floor = (at: number, unit: number) => Math.floor(at / unit) * unit;
const hourOf = (at: number) => new Date(at).getUTCHours();
const minuteOf = (at: number) => new Date(at).getUTCMinutes();

/**
 * Clocks change at full quarters of an hour (test/domain/firing-times.unit.test.ts), so one offset holds for a
 * quarter.
 */
const QUARTER = 15 * MINUTE;
/** Cached per zone: Intl is so slow that a schedule of every minute would block the process for a second. */
const MOST_KEPT = 10_000;

const zones = new Map<string, (at: Date) => number>();

/** How far the zone's clock is ahead of UTC at a time, in milliseconds. */
export function offsets(timezone: string): (at: Date) => number {
  if (timezone === 'UTC') return () => 0;
  const known = zones.get(timezone) ?? keeping(byIntl(timezone));
  zones.set(timezone, known);
  return known;
}

function keeping(offsetAt: (at: Date) => number): (at: Date) => number {
  const kept = new Map<number, number>();
  return (at) => {
    const quarter = floor(at.getTime(), QUARTER);
    const offset = kept.get(quarter) ?? offsetAt(new Date(quarter));
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(quarter, offset);
    return offset;
  };
}

function byIntl(timezone: string): (at: Date) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
  return (at) => {
    const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE;
  };
}
