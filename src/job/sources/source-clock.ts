/** Tracks the clock of a source from the `Date` and `Age` headers of its answers. */
import type { SourceClock } from './source.ts';

/** A larger `Age` is ignored as implausible. */
const MOST_AGE_SECONDS = 366 * 86_400;

export type ClockReader = {
  readonly hear: (header: (name: string) => string | null) => void;
  readonly read: () => SourceClock;
};

export function createClockReader(now: () => number = Date.now): ClockReader {
  let earliest: number | null = null;
  let skewMs = 0;
  return {
    hear(header) {
      const date = Date.parse(header('date') ?? '');
      if (Number.isNaN(date)) return;
      const age = ageOf(header('age'));
      earliest = Math.min(earliest ?? Infinity, date - age);
      const ahead = date - now();
      // A cache repeats the original Date, so an old Date counts as skew only beyond its Age.
      const skew = ahead > 0 ? ahead : Math.min(0, ahead + age);
      if (Math.abs(skew) > Math.abs(skewMs)) skewMs = skew;
    },
    read: () => ({ earliest: earliest === null ? null : new Date(earliest), skewMs }),
  };
}

function ageOf(header: string | null): number {
  const seconds = /^\d{1,10}$/.test(header ?? '') ? Number(header) : 0;
  return seconds > MOST_AGE_SECONDS ? 0 : seconds * 1000;
}
