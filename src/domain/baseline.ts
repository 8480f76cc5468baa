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
/** A count within this share of the median is normal, however steady the earlier runs were. */
const SHARE_OF_MEDIAN = 0.25;
/** The least records that count as unusual, in a target of any size. */
const LEAST_RECORDS = 5;

/** The least share of the live records that counts as unusual. Removals lose data, so theirs is the smallest. */
const LEAST_SHARE = { removed: 0.01, added: 0.05, updated: 0.05 } as const;

export type Measure = keyof typeof LEAST_SHARE;
const MEASURES = Object.keys(LEAST_SHARE) as readonly Measure[];

/** The counts of a run, in records. `removed`: all that the listing lacked and no rule kept. */
export type RunFigures = Readonly<Record<Measure, number>> & { readonly at: Date; readonly live: number };

export type Anomaly = {
  readonly measure: Measure;
  readonly count: number;
  /** Median of the earlier runs, and the highest count that is usual. */
  readonly median: number;
  readonly most: number;
  /** Number of earlier runs. */
  readonly runs: number;
};

/**
 * Finds the counts of a run that are higher than usual, both for the latest runs and for this time of the day or week.
 * @param earlier runs of the same target, env and action, in any order; fewer than 7 say nothing
 */
export function anomaliesOf(earlier: readonly RunFigures[], run: RunFigures): Anomaly[] {
  if (earlier.length < LEAST_RUNS) return [];
  const newestFirst = earlier.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const recent = newestFirst.slice(0, RECENT_RUNS);
  const sameTime = atSameTime(earlier, run.at);
  const sameWeekday = sameTime.filter(({ at }) => at.getUTCDay() === run.at.getUTCDay());
  return MEASURES.flatMap((measure) => {
    const least = Math.max(LEAST_RECORDS, run.live * LEAST_SHARE[measure]);
    const usual = usualOf(sharesOf(recent, measure, run.live), least);
    const patterns = [sameTime, sameWeekday].map((runs) =>
      patternOf(sharesOf(runs.slice(0, SAME_TIMES), measure, run.live), least),
    );
    const most = Math.floor(Math.max(usual.most, ...patterns.map((pattern) => pattern?.most ?? 0)));
    const count = run[measure];
    if (count <= most) return [];
    return [{ measure, count, median: Math.round(usual.median), most, runs: recent.length }];
  });
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

/** Scales the counts to the live records of now: a target that has grown tenfold changes more. */
function sharesOf(runs: readonly RunFigures[], measure: Measure, live: number): number[] {
  return runs.map((run) => (run.live === 0 ? run[measure] : (run[measure] * live) / run.live));
}

type Usual = { readonly median: number; readonly most: number };

function usualOf(counts: readonly number[], least: number): Usual {
  const median = medianOf(counts);
  const deviation = MAD_TO_DEVIATION * medianOf(counts.map((count) => Math.abs(count - median)));
  return { median, most: median + Math.max(DEVIATIONS * deviation, SHARE_OF_MEDIAN * median, least) };
}

/** The usual count of a time; null unless the earlier ones agree with each other. */
function patternOf(counts: readonly number[], least: number): Usual | null {
  if (counts.length === 0) return null;
  const median = medianOf(counts);
  const near = Math.max(SHARE_OF_MEDIAN * median, least);
  if (counts.some((count) => Math.abs(count - median) > near)) return null;
  return { median, most: median + near };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** `4,210 to remove; usual are up to 1,130 (median 120 of 14 runs)`. */
export function anomalyWords({ measure, count, median, most, runs }: Anomaly): string {
  const n = (value: number): string => value.toLocaleString('en');
  const verb = { removed: 'remove', added: 'add', updated: 'update' }[measure];
  return `${n(count)} to ${verb}; usual are up to ${n(most)} (median ${n(median)} of ${runs} runs)`;
}
