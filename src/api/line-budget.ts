/** How many lines of one who asks are written: some at once, then one now and then; in this process alone. */

type Spent = {
  left: number;
  /** When `left` was right. */
  at: number;
  leftOut: number;
};

export class LineBudget {
  readonly #spent = new Map<string, Spent>();
  readonly #most: number;
  readonly #everyMs: number;

  /**
   * @param of.most lines at once
   * @param of.everyMs milliseconds until there is one more
   */
  constructor({ most, everyMs }: { most: number; everyMs: number }) {
    this.#most = most;
    this.#everyMs = everyMs;
  }

  /**
   * How many were left out before this one; undefined when it is left out itself.
   * @param now milliseconds of a clock that nobody sets
   */
  take(id: string, now: number = performance.now()): number | undefined {
    const spent = this.#spent.get(id) ?? this.#opened(id, now);
    const more = Math.floor((now - spent.at) / this.#everyMs);
    spent.left = Math.min(this.#most, spent.left + more);
    spent.at += more * this.#everyMs;
    if (spent.left === 0) {
      spent.leftOut += 1;
      return undefined;
    }
    spent.left -= 1;
    const { leftOut } = spent;
    spent.leftOut = 0;
    return leftOut;
  }

  #opened(id: string, now: number): Spent {
    // Whoever has not asked for long is as good as new, unless something is still to be told.
    for (const [other, { at, left, leftOut }] of this.#spent)
      if (leftOut === 0 && left + (now - at) / this.#everyMs >= this.#most) this.#spent.delete(other);
    const spent = { left: this.#most, at: now, leftOut: 0 };
    this.#spent.set(id, spent);
    return spent;
  }
}
