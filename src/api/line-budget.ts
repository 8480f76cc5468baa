/** How many lines of one who asks are written in a minute, and how many were left out; in this process alone. */

const MINUTE_MS = 60_000;

type Minute = { readonly began: number; lines: number; leftOut: number };

export class LineBudget {
  readonly #minutes = new Map<string, Minute>();
  readonly #most: number;

  /** @param most lines a minute */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * How many were left out before this one; undefined when it is left out itself.
   * @param now milliseconds of a clock that nobody sets
   */
  take(id: string, now: number = performance.now()): number | undefined {
    const minute = this.#minutes.get(id);
    if (minute && now - minute.began < MINUTE_MS) {
      if (minute.lines < this.#most) {
        minute.lines += 1;
        return 0;
      }
      minute.leftOut += 1;
      return undefined;
    }
    for (const [other, { began, leftOut }] of this.#minutes)
      if (now - began >= MINUTE_MS && leftOut === 0) this.#minutes.delete(other);
    this.#minutes.set(id, { began: now, lines: 1, leftOut: 0 });
    return minute?.leftOut ?? 0;
  }
}
