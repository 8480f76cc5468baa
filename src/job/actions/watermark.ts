/**
 * Computes the watermark, from which the next delta reads. It may be early, never late: a record that is read twice
 * costs a comparison, a missed record is lost. Pure.
 */
import type { Source, SourceClock } from '../sources/source.ts';

/** A larger difference of the clocks causes a warning. */
const MOST_SKEW_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
/** A date without a time of day covers a whole day in an unknown time zone. */
const COARSE_MARGIN_MS = 2 * DAY_MS;

/**
 * @param of.began when reading began, by our clock; for a resumed load, when its first attempt began
 * @param of.runBegan when this run began to read, by our clock
 * @param of.clock the source's clock, from all answers of this run
 * @param of.newest the latest `updated_at` read, used for a source without a clock
 * @returns null: the next delta compares everything, because the source can only be read whole; `keep`: the source
 *   has no clock and returned no record, so the watermark does not move
 */
export function watermarkAfter(of: {
  lists: Source['lists'];
  began: Date;
  runBegan: Date;
  clock: SourceClock;
  newest: Date | null;
  marginMs: number;
  coarseTimes: boolean;
}): Date | null | 'keep' {
  if (of.lists === 'everything') return null;
  const { began, runBegan, clock, newest, marginMs, coarseTimes } = of;
  const margin = coarseTimes ? Math.max(marginMs, COARSE_MARGIN_MS) : marginMs;
  if (clock.earliest !== null) {
    // Subtract how far the source's clock, or a cache in front of it, is behind ours; ignore a clock that is ahead.
    const behind = Math.max(0, runBegan.getTime() - clock.earliest.getTime());
    return new Date(began.getTime() - behind - margin);
  }
  if (newest === null) return 'keep';
  return new Date(Math.min(newest.getTime(), began.getTime()) - margin);
}

/** A warning if the clocks differ by more than five minutes; else null. */
export function skewWarning({ skewMs }: SourceClock, now: Date): string | null {
  if (Math.abs(skewMs) <= MOST_SKEW_MS) return null;
  const theirs = new Date(now.getTime() + skewMs).toISOString();
  return (
    `the source's clock shows ${theirs}, this machine's ${now.toISOString()}: the watermark uses the earlier one; ` +
    'correct the wrong clock'
  );
}

const LEAST_RECORDS = 20;
const MOST_TIMES_OF_DAY = 2;

/**
 * Detects from the records of a sync whether `updated_at` has a time of day. Local midnights have up to two
 * values, for summer and winter time.
 */
export class TimesOfDay {
  #count = 0;
  #hasSeconds = false;
  readonly #times = new Set<number>();

  add(updatedAt: number): void {
    this.#count += 1;
    if (this.#times.size > MOST_TIMES_OF_DAY || this.#hasSeconds) return;
    const time = ((updatedAt % DAY_MS) + DAY_MS) % DAY_MS;
    if (time % 60_000 === 0) this.#times.add(time);
    else this.#hasSeconds = true;
  }

  get areCoarse(): boolean {
    return this.#count >= LEAST_RECORDS && !this.#hasSeconds && this.#times.size <= MOST_TIMES_OF_DAY;
  }
}
