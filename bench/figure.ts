/** One measured claim: our samples beside those of the plain thing they are compared with. */
export type Figure = {
  readonly bench: string;
  readonly unit: string;
  readonly ours: number[];
  readonly raw: number[];
  /** The claim, as a sentence: `ours/raw >= 0.3`. */
  readonly bound: string;
};
