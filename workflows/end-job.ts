/** Ends a job: stops everything of it that still runs, records the end, cleans up. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  log,
  patched,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { JobOutcome } from '../src/domain/outcome.ts';
import type { ClaimedJob } from '../src/domain/resume-point.ts';
import { SUPERSEDED } from '../src/domain/workflow.ts';
import { isAskedToCancel, type JobEnd } from './close.ts';
import { queued } from './watch-queue.ts';

/** One try inside the workflow task, which saves a round trip to the server. */
const inTask = proxyLocalActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumAttempts: 1 },
});

/** A run whose job belongs to another run: before this patch it failed, now it closes quietly. */
const LEAVES_QUIETLY = 'leave-quietly-what-is-anothers';

export async function endJob(job: ClaimedJob, outcome: JobOutcome): Promise<JobEnd> {
  const ref = { jobId: job.id, traceparent: job.traceparent };
  const end = await orOther(job, async () => {
    // After a completed job nothing should run: a short check. Otherwise the stop may take as long as a pod takes
    // to end.
    const stopping = { ...ref, isCancelled: outcome.kind === 'cancelled' };
    const stopped =
      outcome.kind === 'completed' ? await soon('stopJob', stopping) : await queued.stopJob(stopping);
    const status = await soon('recordEnd', { ...ref, outcome, stopped });
    await soon('cleanUp', { ...ref, remains: stopped.remains });
    return toJobEnd(status, outcome);
  });
  if (end.kind === 'cancelled' && !isAskedToCancel())
    await CancellationScope.nonCancellable(() => queued.cancelOwnRun());
  return end;
}

/** How jobs ended before the workflow did it; only for runs that an older version began. */
export async function concludeInOneActivity(job: ClaimedJob, outcome: JobOutcome): Promise<JobEnd> {
  return await orOther(job, async () => toJobEnd(await queued.conclude({ jobId: job.id, outcome }), outcome));
}

type EndActivity = 'stopJob' | 'recordEnd' | 'cleanUp';

/** Tries an activity inside the workflow task; after a failure Temporal queues, retries and shows it like any other. */
async function soon<Name extends EndActivity>(
  name: Name,
  input: Parameters<Activities[Name]>[0],
): Promise<Awaited<ReturnType<Activities[Name]>>> {
  type Act = (of: typeof input) => Promise<Awaited<ReturnType<Activities[Name]>>>;
  try {
    return await (inTask[name] as Act)(input);
  } catch (error) {
    if (isSuperseded(error)) throw error;
    return await (queued[name] as Act)(input);
  }
}

/** The row decides: a cancel may have come first. */
function toJobEnd(status: Awaited<ReturnType<Activities['recordEnd']>>, outcome: JobOutcome): JobEnd {
  if (status === 'failed' && outcome.kind === 'failed') return outcome;
  return { kind: status === 'deleted' ? 'cancelled' : 'other' };
}

/** Nothing cancels the end of a job. @throws ApplicationFailure, non-retryable, when the job cannot be ended */
async function orOther(job: ClaimedJob, end: () => Promise<JobEnd>): Promise<JobEnd> {
  try {
    return await CancellationScope.nonCancellable(end);
  } catch (error) {
    // The job has not failed: another run ends it.
    if (isSuperseded(error) && patched(LEAVES_QUIETLY)) return { kind: 'other' };
    // The job is still active. The reconciler takes care of it; a retry of this run by Temporal would not help.
    const cause = error instanceof Error ? error : new Error(String(error));
    log.error('the job could not be concluded', { error: cause, job: job.id });
    throw ApplicationFailure.create({ message: 'the job could not be concluded', nonRetryable: true, cause });
  }
}

function isSuperseded(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === SUPERSEDED;
}
