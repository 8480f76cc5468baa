/** The interface of fault programs: each uses a seed, tries to break the product, and counts the violations. */

export type Run = {
  /** Decides everything that the program leaves to chance; the timing of the machine is not repeatable. */
  readonly seed: number;
  /** Share of the full amount: 1 is what docs/faults.md claims, 0.1 what CI runs. */
  readonly scale: number;
  /** For `upgrade`: the commit to upgrade from; undefined: this checkout itself. */
  readonly from: string | undefined;
  /** For `lying-source`: the cases whose names match; undefined: all. */
  readonly only: string | undefined;
  /** The full amount at this scale: at least `least`, which is 1 by default. */
  amount(full: number, least?: number): number;
  /** Reports progress to a human. */
  say(line: string): void;
};

export type Figures = {
  /** Work done, and work required: less than required fails the program, whatever else it found. */
  readonly n: number;
  readonly expected: number;
  /** One line for each violation, with the thing that it happened to. */
  readonly violations: readonly string[];
  /** One line for each missed time limit, after scaling by how busy the machine was. */
  readonly late?: readonly string[];
  /** Jobs that had not ended when the program's own time was over: their end cannot be judged. */
  readonly unsettled?: number;
  /** Further figures: counts, times in seconds. */
  readonly [figure: string]: unknown;
};

/** The program's own time ended before the awaited event: neither a violation nor a pass. */
export class NotFinished extends Error {}

export type Program = {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  run(run: Run): Promise<Figures>;
};
