/** From a report to its being heard: how late each witness was. Pure. */

/** A witness knew at `at` (milliseconds since 1970) that a job had done so much, and so of every report before. */
export type Heard = { readonly job: number; readonly done: number; readonly at: number };

/** A report, told by what it says is done; `at` is when its lag begins. */
export type Told = Heard;

/** The lag of each report, in milliseconds. @throws Error when one was never heard of */
export function lags(told: readonly Told[], heard: readonly Heard[]): number[] {
  const byJob = Map.groupBy(heard, ({ job }) => job);
  return told.map(({ job, done, at }) => {
    const first = byJob.get(job)?.find((one) => one.done >= done);
    if (!first) throw new Error(`report ${done} of job ${job} was never heard of`);
    return first.at - at;
  });
}
