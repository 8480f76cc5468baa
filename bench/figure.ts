/** One measured claim: our samples beside those of the plain thing they are compared with. */
export type Figure = {
  readonly bench: string;
  readonly unit: string;
  readonly ours: number[];
  readonly raw: number[];
  /** The claim, as a sentence: `ours/raw >= 0.3`. */
  readonly bound: string;
};

/** The smallest sample that `percent` of all do not exceed. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN;
}
