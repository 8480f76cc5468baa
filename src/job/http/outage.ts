/**
 * Retries an unavailable server with exponential back-off, until an outage lasts longer than `patienceMs`.
 * Retry-After is honoured, up to five minutes in total.
 */
import type { JobError } from '../job-error.ts';
import { waitFor } from '../wait.ts';
import { HttpFault } from './http-fault.ts';

export const PATIENCE_MS = 60_000;
const LONGEST_TOLD_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export type Patience = {
  /** Longest outage, in milliseconds. */
  readonly patienceMs: number;
  /** Called with the reason for waiting; with null once the wait is over. */
  readonly onWait: (words: string | null) => void;
  readonly stop: AbortSignal;
  /** Name of the server in the reason for waiting; default `the source`. */
  readonly server?: string;
  /** Makes the error that ends the outage; default {@link HttpFault.toJobError}. @param more retries made */
  readonly toError?: (fault: HttpFault, more: string) => JobError;
};

export type Outage = {
  /** Waits before the next attempt. @throws JobError if no retry is left or none would help */
  readonly failed: (fault: HttpFault) => Promise<void>;
  /** Call on success: the next failure begins a new outage. */
  readonly over: () => void;
};

export function createOutage({
  patienceMs,
  onWait,
  stop,
  server = 'the source',
  toError = (fault, more) => fault.toJobError(more),
}: Patience): Outage {
  let failures = 0;
  let began = 0;
  let toldMs = 0;

  function over(): void {
    if (failures > 0) onWait(null);
    failures = toldMs = 0;
  }

  /** Milliseconds until the next attempt; null: give up. */
  function pauseAfter(fault: HttpFault): number | null {
    if (fault.retryAfterMs !== null) {
      toldMs += fault.retryAfterMs;
      return toldMs > LONGEST_TOLD_MS ? null : fault.retryAfterMs;
    }
    const left = patienceMs - (performance.now() - began - toldMs);
    if (left <= 0) return null;
    return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS, left);
  }

  return {
    over,
    async failed(fault) {
      if (failures === 0) began = performance.now();
      failures += 1;
      const pause = fault.mayPass ? pauseAfter(fault) : null;
      if (pause === null) {
        const error = toError(fault, wordsOfEnd(fault, failures, performance.now() - began));
        over();
        throw error;
      }
      onWait(`${server}: ${fault.message}; retrying in ${seconds(pause)} s`);
      await waitFor(pause, stop);
    },
  };
}

function wordsOfEnd({ mayPass, retryAfterMs }: HttpFault, failures: number, tookMs: number): string {
  if (!mayPass) return '';
  if (retryAfterMs !== null)
    return `, and asks for a wait of ${seconds(retryAfterMs)} s; the limit is ${LONGEST_TOLD_MS / 1000} s`;
  return `; gave up after ${failures} attempts in ${seconds(tookMs)} s`;
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** Repeats `attempt` until it succeeds or the outage lasts too long. @throws JobError */
export async function retryThroughOutage<T>(patience: Patience, attempt: () => Promise<T>): Promise<T> {
  const outage = createOutage(patience);
  for (;;) {
    try {
      const result = await attempt();
      outage.over();
      return result;
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      await outage.failed(error);
    }
  }
}
