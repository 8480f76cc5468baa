/** Cuts the pause of a loop short. */
import { setTimeout as wait } from 'node:timers/promises';

export class Waker {
  #isAsked = false;
  #cut: () => void = () => undefined;

  /** Ends the pause; during a run of the loop, leaves out the pause after it. */
  wake(): void {
    this.#isAsked = true;
    this.#cut();
  }

  /** Ends after `ms` milliseconds, at `wake`, or when the signal aborts; never rejects. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#cut = () => woken.abort();
    if (!this.#isAsked)
      await wait(ms, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
    this.#isAsked = false;
  }
}
