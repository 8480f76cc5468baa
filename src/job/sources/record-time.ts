/** Parses `updated_at` for every source, so that all parts of the program agree about a time. */
const ISO_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** The usual form, which needs no change: UTC, at most microseconds, a day that exists in every month. */
const PLAIN_TIME =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

/** Largest accepted zone offset; Postgres itself accepts at most ±15:59. */
const MOST_OFFSET_MINUTES = 18 * 60;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Normalises a time to a form that Postgres and `Date` both read: UTC, truncated to microseconds, never rounded up,
 * since a watermark may be early but not late. @returns null for an invalid time
 */
export function normalTime(text: string): string | null {
  if (PLAIN_TIME.test(text)) return text;
  const parts = ISO_TIME.exec(text);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zulu, sign, zoneHour, zoneMinute] = parts;
  if (!isDay(Number(year), Number(month), Number(day))) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const isLeap = second === '60';
  const digits = isLeap ? '999' : fraction.slice(0, 6);
  const clock = `${hour}:${minute}:${isLeap ? '59' : second}`;
  const rest = `${digits && `.${digits}`}Z`;
  let normal = `${year}-${month}-${day}T${clock}${rest}`;
  if (zulu === undefined) {
    const offset = Number(zoneHour) * 60 + Number(zoneMinute);
    if (Number(zoneMinute) > 59 || offset > MOST_OFFSET_MINUTES) return null;
    const here = Date.parse(`${year}-${month}-${day}T${clock}Z`);
    const utc = new Date(here - offset * 60_000 * (sign === '-' ? -1 : 1)).toISOString();
    // Date writes years beyond 9999 with a sign.
    if (!/^(?!0000)\d{4}-/.test(utc)) return null;
    normal = utc.slice(0, 19) + rest;
  }
  return isLeap && normal.slice(11, 16) !== '23:59' ? null : normal;
}

function isDay(year: number, month: number, day: number): boolean {
  if (year === 0 || month < 1 || month > 12 || day < 1) return false;
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (DAYS[month - 1] ?? 0) + (month === 2 && isLeapYear ? 1 : 0);
}
