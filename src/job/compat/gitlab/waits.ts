/** Reports that a run waits, while any of its concurrent calls does. */
import { waitFor } from '../../wait.ts';

/** Shorter waits are not reported. */
const WORTH_TELLING_MS = 1_000;

export class Waits {
  readonly #stop: AbortSignal;
  readonly #onWait: (forWhat: string | null) => void;
  #waiting = 0;

  /** @param onWait called with the reason for waiting; with null once no call waits */
  constructor(stop: AbortSignal, onWait: (forWhat: string | null) => void) {
    this.#stop = stop;
    this.#onWait = onWait;
  }

  /** @throws the reason of `stop` if it is aborted first */
  async pause(milliseconds: number, forWhat: string): Promise<void> {
    if (milliseconds < WORTH_TELLING_MS) return await waitFor(milliseconds, this.#stop);
    this.#waiting += 1;
    this.#onWait(forWhat);
    try {
      await waitFor(milliseconds, this.#stop);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#onWait(null);
    }
  }
}
