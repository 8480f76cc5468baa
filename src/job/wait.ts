/** A delay that an AbortSignal ends at once. */
import { setTimeout as delay } from 'node:timers/promises';

/** @throws the reason of `stop` if it is aborted first */
export async function waitFor(milliseconds: number, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  await delay(milliseconds, undefined, { signal: stop }).catch((error: unknown) => {
    stop.throwIfAborted();
    throw error;
  });
}
