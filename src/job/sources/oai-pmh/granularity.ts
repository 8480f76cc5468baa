/** Datestamps of OAI-PMH: days, or seconds, always in UTC. */
import { normalTime } from '../record-time.ts';

export type Granularity = 'day' | 'second';

const DAY_MS = 86_400_000;
export const GRANULE_MS: Readonly<Record<Granularity, number>> = { day: DAY_MS, second: 1000 };

/** The source's name of a granularity; null for another name. */
export function granularityOf(text: string): Granularity | null {
  if (/^YYYY-MM-DD$/i.test(text)) return 'day';
  return /^YYYY-MM-DDThh:mm:ssZ$/i.test(text) ? 'second' : null;
}

/** A time as the source takes it in `from` and `until`; rounded down, so that `from` is early and never late. */
export function datestamp(time: Date, granularity: Granularity): string {
  const iso = time.toISOString();
  return granularity === 'day' ? iso.slice(0, 10) : `${iso.slice(0, 19)}Z`;
}

/** A datestamp of the source as a time; a day is its first moment. The text itself if it is none. */
export function timeOf(text: string): string {
  return normalTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text) ?? text;
}
