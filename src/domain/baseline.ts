/**
 * Baseline: the usual size of a target's changes, learned from its earlier runs. Says which counts of a run are
 * unusual, also below the fixed limits of the guards. Pure.
 */

/** `watch`: unusual counts are warnings. `hold`: unusual removals wait too, and an unusual jump upward stops the run. */
export const BASELINE_MODES = ['off', 'watch', 'hold'] as const;
export type BaselineMode = (typeof BASELINE_MODES)[number];

/** Earlier runs that are needed; until then only the fixed limits hold. */
export const LEAST_RUNS = 7;
/** Latest runs that the usual size is taken from. */
const RECENT_RUNS = 14;
/** Runs at the same time of day, or of the same weekday too, that a pattern is taken from. */
const SAME_TIMES = 8;
/** Distance within which two times of day are the same: a change to summer time moves a schedule by an hour of UTC. */
const SAME_TIME_MS = 90 * 60_000;
const DAY_MS = 86_400_000;
/** Normal distance from the median, in median absolute deviations that are scaled to a standard deviation. */
const DEVIATIONS = 5;
const MAD_TO_DEVIATION = 1.4826;
/** A count this near to the median, as a share of it, is normal, however steady the earlier runs were. */
const NEAR = 0.25;
/** A busy source takes up to three times as long. */
const NEAR_IN_TIME = 2;
export const MEASURES = ['removed', 'added', 'updated', 'bytes', 'seconds'] as const;
export type Measure = (typeof MEASURES)[number];

/** Distances from the usual that are normal in any target. */
const LEAST = { records: 5, bytes: 64 * 1024, seconds: 60 } as const;

type Rule = {
  /** The count that others are scaled by: a target that has grown tenfold changes more. */
  readonly per: 'live' | 'listed';
  /** The least distance from the usual that counts as unusual. */
  readonly least: (run: RunFigures) => number;
  readonly near: number;
  /** Unusually low values count too. */
  readonly below?: true;
};

const ofLive =
  (share: number) =>
  ({ live }: RunFigures): number =>
    Math.max(LEAST.records, live * share);

/** Removals lose data, so their least share of the live records is the smallest. */
const RULES: Readonly<Record<Measure, Rule>> = {
  removed: { per: 'live', least: ofLive(0.01), near: NEAR },
  added: { per: 'live', least: ofLive(0.05), near: NEAR },
  updated: { per: 'live', least: ofLive(0.05), near: NEAR },
  bytes: { per: 'listed', least: () => LEAST.bytes, near: NEAR, below: true },
  seconds: { per: 'listed', least: () => LEAST.seconds, near: NEAR_IN_TIME },
};

/**
 * The counts of a run. `removed`: all records that the listing lacked and no rule kept. `bytes`: the listed records as
 * the sink holds them. `seconds`: from the begin of the reading to the judgement. null: not measured.
 */
export type RunFigures = { readonly at: Date; readonly live: number; readonly listed: number } & {
  readonly [M in Measure]: M extends 'bytes' | 'seconds' ? number | null : number;
};

export type Anomaly = {
  readonly measure: Measure;
  readonly count: number;
  /** Median of the earlier runs, and the lowest and highest count that is usual. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** The counts of the latest earlier runs, oldest first, as they were. */
  readonly earlier: readonly { readonly at: Date; readonly count: number }[];
};

/**
 * Finds the counts of a run that are not usual, neither for the latest runs nor for this time of the day or week.
 * @param earlier runs of the same target, env and action, in any order; fewer than 7 say nothing
 */
export function anomaliesOf(earlier: readonly RunFigures[], run: RunFigures): Anomaly[] {
  return MEASURES.flatMap((measure) => {
    const count = run[measure];
    const measured = earlier.filter((one) => one[measure] !== null);
    if (count === null || measured.length < LEAST_RUNS) return [];
    const anomaly = { measure, count, ...usualRange(measured, { measure, run }) };
    return count > anomaly.most || count < anomaly.least ? [anomaly] : [];
  });
}

function usualRange(
  earlier: readonly RunFigures[],
  { measure, run }: { measure: Measure; run: RunFigures },
): Omit<Anomaly, 'measure' | 'count'> {
  const rule = RULES[measure];
  const recent = earlier.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, RECENT_RUNS);
  const sameTime = atSameTime(earlier, run.at);
  const sameWeekday = sameTime.filter(({ at }) => at.getUTCDay() === run.at.getUTCDay());
  const scaled = (runs: readonly RunFigures[]): number[] =>
    runs.map((one) => scale(one[measure] ?? 0, one[rule.per], run[rule.per]));
  const normal = { least: rule.least(run), near: rule.near };
  const usual = usualOf(scaled(recent), normal);
  const ranges = [
    usual,
    ...[sameTime, sameWeekday].flatMap((runs) => patternOf(scaled(runs.slice(0, SAME_TIMES)), normal) ?? []),
  ];
  return {
    median: Math.round(usual.median),
    least: rule.below ? Math.max(0, Math.ceil(Math.min(...ranges.map((range) => range.least)))) : 0,
    most: Math.floor(Math.max(...ranges.map((range) => range.most))),
    earlier: recent.toReversed().map((one) => ({ at: one.at, count: one[measure] ?? 0 })),
  };
}

/** The run of each earlier day that is nearest to this time of day, newest first. */
function atSameTime(earlier: readonly RunFigures[], at: Date): RunFigures[] {
  const nearest = new Map<number, { run: RunFigures; apart: number }>();
  for (const run of earlier) {
    const before = at.getTime() - run.at.getTime();
    const days = Math.round(before / DAY_MS);
    const apart = Math.abs(before - days * DAY_MS);
    if (days < 1 || apart > SAME_TIME_MS) continue;
    if (apart < (nearest.get(days)?.apart ?? Infinity)) nearest.set(days, { run, apart });
  }
  return [...nearest].toSorted(([one], [other]) => one - other).map(([, { run }]) => run);
}

function scale(count: number, then: number, now: number): number {
  return then === 0 ? count : (count * now) / then;
}

type Usual = Pick<Anomaly, 'median' | 'least' | 'most'>;

type Normal = Pick<Rule, 'near'> & { readonly least: number };

function usualOf(counts: readonly number[], { least, near }: Normal): Usual {
  const median = medianOf(counts);
  const deviation = MAD_TO_DEVIATION * medianOf(counts.map((count) => Math.abs(count - median)));
  return around(median, Math.max(DEVIATIONS * deviation, near * median, least));
}

/** The usual count of a time; null unless the earlier ones agree with each other. */
function patternOf(counts: readonly number[], { least, near }: Normal): Usual | null {
  if (counts.length === 0) return null;
  const median = medianOf(counts);
  const distance = Math.max(near * median, least);
  if (counts.some((count) => Math.abs(count - median) > distance)) return null;
  return around(median, distance);
}

function around(median: number, distance: number): Usual {
  return { median, least: median - distance, most: median + distance };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** `4,210 to remove; usual are up to 1,130 (median 120 of 14 runs)`. */
export function anomalyWords({
  measure,
  count,
  median,
  least,
  most,
  earlier,
}: Omit<Anomaly, 'earlier'> & { readonly earlier: readonly unknown[] }): string {
  const n = (value: number): string => value.toLocaleString('en');
  const [before, after] = {
    removed: ['', ' to remove'],
    added: ['', ' to add'],
    updated: ['', ' to update'],
    bytes: ['a listing of ', ' bytes'],
    seconds: ['', ' seconds to read'],
  }[measure];
  const usual = least > 0 ? `${n(least)} to ${n(most)}` : `up to ${n(most)}`;
  return `${before}${n(count)}${after}; usual are ${usual} (median ${n(median)} of ${earlier.length} runs)`;
}
