/** Limits how much work runs at once and how much waits, for work that needs much CPU and memory. */

type Waiting = { readonly isFirst: boolean; readonly enter: () => void };

export class Gate {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: Waiting[] = [];
  #inside = 0;

  constructor({ atOnce, mostWaiting }: { atOnce: number; mostWaiting: number }) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /**
   * Runs the work when a place is free.
   * @param of.isFirst waits ahead of work that is not first, and is never turned away
   * @returns undefined, without running the work, if too many wait
   */
  async run<T>(work: () => Promise<T>, of: { isFirst: boolean }): Promise<{ result: T } | undefined> {
    if (this.#inside >= this.#atOnce) {
      if (!of.isFirst && this.#waiting.length >= this.#mostWaiting) return undefined;
      // Finished work hands its place to the next.
      await new Promise<void>((enter) => this.#enqueue({ isFirst: of.isFirst, enter }));
    } else this.#inside += 1;
    try {
      return { result: await work() };
    } finally {
      const next = this.#waiting.shift();
      if (next) next.enter();
      else this.#inside -= 1;
    }
  }

  #enqueue(one: Waiting): void {
    const behind = one.isFirst ? this.#waiting.findIndex(({ isFirst }) => !isFirst) : -1;
    if (behind < 0) this.#waiting.push(one);
    else this.#waiting.splice(behind, 0, one);
  }
}
