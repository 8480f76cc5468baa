/** Repeats work at a fixed pause until it is told to stop. */
import { Waker } from './waker.ts';

/**
 * Runs `work` at once and then again `ms` milliseconds after each end, until the signal aborts; no two runs overlap.
 * A run that rejects reaches `onError`, and the loop continues: an outage ends one run, never the loop. The pause never
 * grows, because the loops of a worker must react soon after an outage.
 * @param waker ends a pause early
 */
export async function every(
  ms: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
  waker = new Waker(),
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
    await waker.pause(ms, signal);
  }
}
