/** Computes each witness's lag: the time from a report until the witness hears of it. Pure. */

/** At `at` (milliseconds since 1970) a witness knew that a job had done so much, and so knew every report before. */
export type Heard = { readonly job: number; readonly done: number; readonly at: number };

/** A report, identified by the number of records that it calls done; `at` is when its lag begins. */
export type Told = Heard;

/**
 * The lag of each report, in milliseconds.
 * @throws Error if the witness never heard of one
 */
export function lags(told: readonly Told[], heard: readonly Heard[]): number[] {
  const byJob = Map.groupBy(heard, ({ job }) => job);
  return told.map(({ job, done, at }) => {
    const first = byJob.get(job)?.find((one) => one.done >= done);
    if (!first) throw new Error(`report ${done} of job ${job} never reached the witness`);
    return first.at - at;
  });
}
