/**
 * Limits reports per attempt: one a second on average with a burst, in this process only. Not rate-limiter-flexible: its
 * fixed windows would let a burst through every minute instead of refilling one a second.
 */

const BURST = 60;
const PER_SECOND = 1;

export class ReportRate {
  readonly #full = new Map<string, { tokens: number; at: number }>();

  /** Takes one report. @returns seconds to wait; 0 if the report is accepted */
  take(attempt: string, now = Date.now()): number {
    if (this.#full.size > 10_000) this.#forget(now);
    const bucket = this.#full.get(attempt) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
    const taken = tokens >= 1;
    this.#full.set(attempt, { tokens: taken ? tokens - 1 : tokens, at: now });
    return taken ? 0 : Math.ceil((1 - tokens) / PER_SECOND);
  }

  /** Drops full buckets, which equal new ones. */
  #forget(now: number): void {
    for (const [attempt, { at }] of this.#full)
      if (now - at > (BURST / PER_SECOND) * 1000) this.#full.delete(attempt);
  }
}
