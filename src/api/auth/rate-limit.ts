/**
 * Limits audit entries per caller in this process: a burst, then one per interval. Not rate-limiter-flexible: its windows
 * reset at once and do not refill one by one, and the number of omitted entries would have to be kept beside it.
 */

type Spent = {
  left: number;
  /** When `left` was computed. */
  at: number;
  leftOut: number;
};

/** Above this the oldest callers are forgotten with their counts, because anonymous callers are unlimited. */
const MOST_KNOWN = 10_000;

export class LineBudget {
  readonly #spent = new Map<string, Spent>();
  readonly #most: number;
  readonly #everyMs: number;

  /**
   * @param of.most entries of a burst
   * @param of.everyMs milliseconds until one more is allowed
   */
  constructor({ most, everyMs }: { most: number; everyMs: number }) {
    this.#most = most;
    this.#everyMs = everyMs;
  }

  /**
   * Takes one entry. @returns the entries omitted before it; undefined if it must be omitted itself
   * @param now milliseconds of a monotonic clock
   */
  take(id: string, now: number = performance.now()): number | undefined {
    const spent = this.#spent.get(id) ?? this.#opened(id, now);
    const more = Math.floor((now - spent.at) / this.#everyMs);
    spent.left = Math.min(this.#most, spent.left + more);
    spent.at += more * this.#everyMs;
    if (spent.left === 0) {
      spent.leftOut += 1;
      return undefined;
    }
    spent.left -= 1;
    const { leftOut } = spent;
    spent.leftOut = 0;
    return leftOut;
  }

  #opened(id: string, now: number): Spent {
    // A full bucket equals a new one, unless omitted entries are still to be reported.
    for (const [other, { at, left, leftOut }] of this.#spent)
      if (
        this.#spent.size >= MOST_KNOWN ||
        (leftOut === 0 && left + (now - at) / this.#everyMs >= this.#most)
      )
        this.#spent.delete(other);
    const spent = { left: this.#most, at: now, leftOut: 0 };
    this.#spent.set(id, spent);
    return spent;
  }
}
