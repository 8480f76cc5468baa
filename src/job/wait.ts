/** Waiting that a stop ends at once. */

import { setTimeout as delay } from 'node:timers/promises';

/** @throws the signal's reason, if it comes first */
export async function waitFor(milliseconds: number, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  await delay(milliseconds, undefined, { signal: stop }).catch((error: unknown) => {
    stop.throwIfAborted();
    throw error;
  });
}
