/** Tries a call again while what is wrong with it may pass; bounded, since whoever asked waits for an answer. */

import type { Log } from '../log.ts';
import { waitFor } from '../wait.ts';
import { UpstreamFault } from './upstream-fault.ts';

const TRIES = 3;
/** An API that wants to be left alone for longer is asked by the next run. */
const LONGEST_RETRY_AFTER_MS = 10_000;

export type Pace = {
  /** Milliseconds until the next try. @param failures so far, 1 at first @param tookMs the last try */
  readonly pauseMs: (failures: number, tookMs: number) => number;
  readonly log: Log;
  readonly stop: AbortSignal;
};

/** @throws UpstreamFault of the last try */
export async function tried<T>({ pauseMs, log, stop }: Pace, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    const began = performance.now();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UpstreamFault) || !error.mayPass || failures >= TRIES) throw error;
      const wanted = error.retryAfterMs ?? 0;
      if (wanted > LONGEST_RETRY_AFTER_MS) throw error;
      const pause = Math.max(wanted, pauseMs(failures, performance.now() - began));
      log.info(`${error.message}; again in ${Math.round(pause)} ms`);
      await waitFor(pause, stop);
    }
  }
}
