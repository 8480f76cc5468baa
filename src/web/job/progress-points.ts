/** Turns a job's stored and live reports into points over time. Pure. */
import type { JobJson } from '../../client/client.ts';
import type { ReportPointJson } from '../../client/client.ts';

export type Points = {
  /** Seconds since 1970. */
  readonly at: readonly number[];
  /** Records of each step; null at points of other steps. */
  readonly records: readonly (readonly (number | null)[])[];
  /** Records per second between one report and the next of the same attempt. */
  readonly rate: readonly (number | null)[];
};

/** Adds the newest report of each step, which the job itself carries and a list read earlier may lack. */
export function withNewest(points: readonly ReportPointJson[], job: JobJson): ReportPointJson[] {
  const newest = job.steps.flatMap(({ step, attempt, progress }): ReportPointJson[] =>
    progress
      ? [
          {
            step,
            attempt,
            at: progress.reported_at,
            phase: progress.phase,
            records_done: progress.records_done,
            records_total: progress.records_total,
          },
        ]
      : [],
  );
  const known = new Set(points.map(({ step, attempt, at }) => `${step}.${attempt} ${at}`));
  return [
    ...points,
    ...newest.filter(({ step, attempt, at }) => !known.has(`${step}.${attempt} ${at}`)),
  ].toSorted((a, b) => a.step - b.step || a.attempt - b.attempt || a.at.localeCompare(b.at));
}

export function toPoints(reports: readonly ReportPointJson[]): Points {
  const counted = reports.filter(({ records_done: done }) => done !== null);
  const steps = [...new Set(counted.map(({ step }) => step))];
  return {
    at: counted.map(({ at }) => Date.parse(at) / 1000),
    records: steps.map((step) => counted.map((one) => (one.step === step ? one.records_done : null))),
    rate: counted.map((one, index) => {
      const before = counted[index - 1];
      if (!before || before.step !== one.step || before.attempt !== one.attempt) return null;
      const seconds = (Date.parse(one.at) - Date.parse(before.at)) / 1000;
      return seconds <= 0 ? null : ((one.records_done ?? 0) - (before.records_done ?? 0)) / seconds;
    }),
  };
}
