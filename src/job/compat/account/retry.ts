/** Retries a call after transient faults, at most twice: the requester waits for the answer. */
import type { Log } from '../../log.ts';
import { waitFor } from '../../wait.ts';
import { HttpFault } from '../../http/http-fault.ts';

const TRIES = 3;
/** A longer Retry-After ends the run; the next run tries again. */
const LONGEST_RETRY_AFTER_MS = 10_000;

export type Pace = {
  /**
   * Milliseconds until the next attempt.
   * @param failures so far, from 1
   * @param tookMs duration of the last attempt
   */
  readonly pauseMs: (failures: number, tookMs: number) => number;
  readonly log: Log;
  readonly stop: AbortSignal;
};

/** @throws HttpFault of the last attempt */
export async function withRetries<T>({ pauseMs, log, stop }: Pace, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    const began = performance.now();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HttpFault) || !error.mayPass || failures >= TRIES) throw error;
      const wanted = error.retryAfterMs ?? 0;
      if (wanted > LONGEST_RETRY_AFTER_MS) throw error;
      const pause = Math.max(wanted, pauseMs(failures, performance.now() - began));
      log.info(`${error.message}; retrying in ${Math.round(pause)} ms`);
      await waitFor(pause, stop);
    }
  }
}
