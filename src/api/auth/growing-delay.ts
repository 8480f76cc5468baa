/** Exponential delay per key: after some bad tries each further one waits twice as long; counts in this process only. */

type Tried = { bad: number; until: number; at: number };

/** Above this the oldest keys are forgotten, so that invented keys cannot fill the memory. */
const MOST_KEYS = 20_000;

export class GrowingDelay {
  readonly #tried = new Map<string, Tried>();
  readonly #free: number;
  readonly #mostMs: number;
  readonly #forgetMs: number;

  /**
   * @param of.free tries without delay
   * @param of.mostMs the longest wait
   * @param of.forgetMs a key without a try for this long starts afresh
   */
  constructor({ free, mostMs, forgetMs }: { free: number; mostMs: number; forgetMs: number }) {
    this.#free = free;
    this.#mostMs = mostMs;
    this.#forgetMs = forgetMs;
  }

  /** The bad tries of a key. */
  bad(key: string, now: number = performance.now()): number {
    const tried = this.#tried.get(key);
    return tried === undefined || now - tried.at > this.#forgetMs ? 0 : tried.bad;
  }

  /** Milliseconds until the next try is allowed; 0 means now. */
  wait(key: string, now: number = performance.now()): number {
    return this.bad(key, now) === 0 ? 0 : Math.max(0, (this.#tried.get(key)?.until ?? 0) - now);
  }

  /** Counts a try as bad until its result is known, so that parallel tries cannot evade the delay. */
  begin(key: string, now: number = performance.now()): void {
    const bad = this.bad(key, now) + 1;
    const over = bad - this.#free;
    const delay = over < 0 ? 0 : Math.min(this.#mostMs, 1_000 * 2 ** Math.min(over, 30));
    this.#tried.delete(key); // the newest last
    this.#tried.set(key, { bad, until: now + delay, at: now });
    for (const oldest of this.#tried.keys()) {
      if (this.#tried.size <= MOST_KEYS) break;
      this.#tried.delete(oldest);
    }
  }

  /** Uncounts a try that was not bad. */
  takeBack(key: string): void {
    const tried = this.#tried.get(key);
    if (!tried) return;
    tried.bad -= 1;
    tried.until = 0;
    if (tried.bad <= 0) this.#tried.delete(key);
  }

  /** Forgets the tries of a key. */
  forget(key: string): void {
    this.#tried.delete(key);
  }
}
