/** What a fault program is: something seeded that tries to break the product, and counts what broke. */

export type Run = {
  /** Chooses everything the program decides by chance; what the machine does in between is its own. */
  readonly seed: number;
  /** How much of the full amount is done: 1 is what docs/faults.md claims, 0.1 what CI runs. */
  readonly scale: number;
  /** For `upgrade`: the commit that is upgraded from; none is this checkout itself. */
  readonly from: string | undefined;
  /** The full amount in this scale: at least `least`, which is 1 by default. */
  amount(full: number, least?: number): number;
  /** Tells a human how far it is. */
  say(line: string): void;
};

export type Figures = {
  /** What was done, and what had to be done: less of it fails the program, whatever else it found. */
  readonly n: number;
  readonly expected: number;
  /** One line for each thing that must not be, with what it happened to. */
  readonly violations: readonly string[];
  /** One line for each bound of time that was missed, after it was scaled by how busy the machine was. */
  readonly late?: readonly string[];
  /** What had not ended when the program's own time was over: how right its end is nobody can say. */
  readonly unsettled?: number;
  /** Further figures: counts, times in seconds. */
  readonly [figure: string]: unknown;
};

/** The program's own time was over before what it waited for: no violation, and no pass either. */
export class NotFinished extends Error {}

export type Program = {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  run(run: Run): Promise<Figures>;
};
