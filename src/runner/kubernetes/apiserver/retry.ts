/** Deadlines and retries of apiserver calls, within one time budget per call. */
import { setTimeout as wait } from 'node:timers/promises';
import { isTransient, KubernetesError } from './errors.ts';

/** Longest total time of a call with its retries. */
const BUDGET_MS = 13_000;
/** Shortest time an attempt needs; with less time left, the last error is thrown. */
const SHORTEST_MS = 2_000;

/** Rejects when the signal aborts. undici itself checks the signal only after connecting, which may take 10 s and more. */
export async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  answer.catch(() => undefined); // ignored once the signal was first
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Retries transient failures with full jitter, or after Retry-After; throws when the next attempt would exceed the budget. */
export async function repeat<T>(call: (withinMs: number) => Promise<T>, longestMs: number): Promise<T> {
  const deadline = Date.now() + BUDGET_MS;
  for (let ceilingMs = 250; ; ceilingMs = Math.min(ceilingMs * 2, 4_000)) {
    try {
      return await call(Math.min(longestMs, deadline - Date.now()));
    } catch (error) {
      if (!(error instanceof KubernetesError) || !isTransient(error)) throw error;
      const pauseMs = error.retryAfterMs ?? Math.random() * ceilingMs;
      if (Date.now() + pauseMs + SHORTEST_MS > deadline) throw error;
      await wait(pauseMs);
    }
  }
}
