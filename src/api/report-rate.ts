/** How often an attempt may report: one a second on average, with a burst; kept in this process alone. */

const BURST = 60;
const PER_SECOND = 1;

export class ReportRate {
  readonly #full = new Map<string, { tokens: number; at: number }>();

  /** Seconds to wait; 0 when this report may come. */
  take(attempt: string, now = Date.now()): number {
    if (this.#full.size > 10_000) this.#forget(now);
    const bucket = this.#full.get(attempt) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
    const taken = tokens >= 1;
    this.#full.set(attempt, { tokens: taken ? tokens - 1 : tokens, at: now });
    return taken ? 0 : Math.ceil((1 - tokens) / PER_SECOND);
  }

  /** Drops buckets that have filled up again: they are as good as new. */
  #forget(now: number): void {
    for (const [attempt, { at }] of this.#full)
      if (now - at > (BURST / PER_SECOND) * 1000) this.#full.delete(attempt);
  }
}
