/** How long one answer is waited for, and how often what is safe to repeat is asked again: within one budget. */
import { setTimeout as wait } from 'node:timers/promises';
import { isTransient, KubernetesError } from './errors.ts';

/** A call that is repeated on trouble ends, one way or the other, within this. */
const BUDGET_MS = 13_000;
/** A try with less time than this is not worth making. */
const SHORTEST_MS = 2_000;

/** The library looks at a signal only once a connection is there, which it may wait 10 s and more for. */
export async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  answer.catch(() => undefined); // of no interest any more once the signal was first
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Full jitter, the apiserver's own Retry-After first; gives up when the next try would not fit the budget. */
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
