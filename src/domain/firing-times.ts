/**
 * When a cron expression fires next, by Temporal's own reckoning (service/worker/scheduler/calendar.go of its server), also
 * in the nights in which the clocks change: of a time that comes twice it may fire for one, for both or for none. Pure.
 */
import { type Cron, parseCron } from './cron.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Behind it Temporal looks for no time. */
const LAST_YEAR = 2100;

export type Firing = { readonly cron: Cron; readonly timezone: string };

/** @throws Error for an expression that no params file may have */
export function firing(cron: string, timezone: string): Firing {
  const parsed = parseCron(cron);
  if ('error' in parsed) throw new Error(parsed.error);
  return { cron: parsed, timezone };
}

/** The first time after `since`; undefined where there is none. */
export function nextTime({ cron, timezone }: Firing, since: Date): Date | undefined {
  const zone = zoneOf(timezone);
  const start = Math.floor(since.getTime() / SECOND) * SECOND;
  let at = zone.wall(start) + SECOND;
  /** The time is the second of two that the clock shows alike. */
  let isSecond = hourOf(zone.wall(start - HOUR)) === hourOf(zone.wall(start));
  let carriesHour = at % HOUR === 0;
  for (;;) {
    if (carriesHour) {
      // The hour is over: if the next one is two hours away, the clock shows the one that was once more.
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
    // Of a minute that has begun its first second is past.
    if (!cron.minute.has(minuteOf(at)) || at % MINUTE !== 0) {
      at = floor(at, MINUTE) + MINUTE;
      carriesHour = at % HOUR === 0;
      continue;
    }
    const time = zone.time(at);
    if (hourOf(zone.wall(time)) === hourOf(at)) return new Date(time + (isSecond ? HOUR : 0));
    // The clocks leave this hour out.
    at = floor(at, HOUR) + HOUR;
  }
}

/** What the zone's clock shows, taken as if it were UTC's; a time of it is a number of milliseconds. */
type Zone = {
  readonly wall: (time: number) => number;
  /** A time that the clock shows so: of two one, of none one beside. */
  readonly time: (wall: number) => number;
};

function zoneOf(timezone: string): Zone {
  const offsetAt = offsets(timezone);
  return {
    wall: (time) => time + offsetAt(new Date(time)),
    // As Go's time.Date chooses.
    time: (wall) => {
      const offset = offsetAt(new Date(wall));
      return offset === 0 ? wall : wall - offsetAt(new Date(wall - offset));
    },
  };
}

function isDay(cron: Cron, zone: Zone, at: number): boolean {
  const date = new Date(at);
  if (!cron.month.has(date.getUTCMonth() + 1) || !cron.dayOfMonth.has(date.getUTCDate())) return false;
  // Of a midnight that the clocks leave out it may be the day before.
  return cron.dayOfWeek.size === 7 || cron.dayOfWeek.has(new Date(zone.wall(zone.time(at))).getUTCDay());
}

/** Whole months that do not fit are passed over. */
function nextDay(cron: Cron, day: number): number {
  const date = new Date(day);
  return cron.month.has(date.getUTCMonth() + 1)
    ? day + DAY
    : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

const floor = (at: number, unit: number) => Math.floor(at / unit) * unit;
const hourOf = (at: number) => new Date(at).getUTCHours();
const minuteOf = (at: number) => new Date(at).getUTCMinutes();

/** Clocks change at full quarters of an hour (test/domain/firing-times.unit.test.ts), so that an offset holds for one. */
const QUARTER = 15 * MINUTE;
/** Of a zone, kept: Intl takes so long that a schedule of each minute would hold the process for a second. */
const MOST_KEPT = 10_000;

const zones = new Map<string, (at: Date) => number>();

/** How far the zone's clock is ahead of UTC, in milliseconds, at a time. */
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
