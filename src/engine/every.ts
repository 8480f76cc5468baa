/** Repeats work at a fixed pause until it is told to stop. */
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Runs `work` at once and then again `ms` milliseconds after each end, until the signal aborts; no two runs overlap.
 * A run that rejects reaches `onError`, and the loop continues: an outage ends one run, never the loop. The pause never
 * grows, because the loops of a worker must react soon after an outage.
 */
export async function every(
  ms: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
    await wait(ms, undefined, { signal }).catch(() => undefined);
  }
}
