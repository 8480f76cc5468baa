/** One measured claim: our samples beside those of the plain solution they are compared with. */
export type Figure = {
  readonly bench: string;
  readonly unit: string;
  readonly ours: number[];
  readonly raw: number[];
  /** The claim as a formula: `ours/raw >= 0.3`. */
  readonly bound: string;
};

/** The smallest sample that is at least as large as `percent` of all. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN;
}
