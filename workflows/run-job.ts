/**
 * runJob: serves one key (env and target). Its workflow id is `syncrator/<env>/<target>`, so Temporal runs at most
 * one per key, and a key never has two running jobs. A change of the order of awaited calls needs `patched()`.
 */
import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { JobOutcome } from '../src/domain/outcome.ts';
import { type ClaimedJob, mayRetry } from '../src/domain/resume-point.ts';
import { POKED } from '../src/domain/workflow.ts';
import { closeAs, type JobEnd } from './close.ts';
import { concludeInOneActivity, endJob } from './end-job.ts';
import { internalError, setDetails, setSearchAttributes } from './show.ts';
import { queued } from './watch-queue.ts';

const retry = { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' } as const;

/** One or two SQL statements: runs inside the workflow task, which saves a round trip to the server per run. */
const { claim } = proxyLocalActivities<Activities>({ startToCloseTimeout: '10 seconds', retry });
/** A cancel waits for a create that is under way, so that none lands after the job is stopped. */
const { launch } = proxyActivities<Activities>({
  // May need several calls to a slow cluster; the heartbeat reveals a dead worker.
  startToCloseTimeout: '60 seconds',
  heartbeatTimeout: '10 seconds',
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
/** `watchStep` only reads and records: a lost one is repeated, and re-attaches. */
const { watchStep, watch } = queued;

/**
 * Since this patch the workflow itself ends the job. A run that an older version began ends as it would have there: in
 * the activities `watch` or `conclude`.
 */
const WORKFLOW_ENDS_JOB = 'the-workflow-ends-the-job';

const poked = defineSignal(POKED);

export async function runJob(env: string, target: string): Promise<void> {
  let pokes = 0;
  setHandler(poked, () => {
    pokes += 1;
  });
  // Temporal delivers the signal that started this run in the next microtask; the claim answers it.
  await Promise.resolve();
  let answeredPokes = pokes;

  const { runId, startTime } = workflowInfo();
  const job = await CancellationScope.nonCancellable(() =>
    claim({ env, target, runId, runStartedAt: startTime.toISOString() }),
  );
  let end: JobEnd = { kind: 'other' };
  if (job) {
    setSearchAttributes(job);
    const endsHere = patched(WORKFLOW_ENDS_JOB);
    const outcome = await runToEnd(job, endsHere ? watchStep : watch);
    if (outcome.kind !== 'concluded') {
      // Postgres stores no second job of a key while one is active, so earlier pokes asked for nothing new. After a
      // completed job they count nevertheless: Temporal may repeat the workflow task that ends it, with a later
      // poke first.
      if (!endsHere || outcome.kind !== 'completed') answeredPokes = pokes;
      setDetails(job, null, outcome.kind);
      end = endsHere ? await endJob(job, outcome) : await concludeInOneActivity(job, outcome);
    }
  }
  const isPoked = pokes > answeredPokes;
  closeAs(end, isPoked);
  if (isPoked) await continueAsNew<typeof runJob>(env, target);
}

type Watch = typeof watch;
type Ran = Awaited<ReturnType<Watch>>;

async function runToEnd(job: ClaimedJob, watchOne: Watch): Promise<Ran> {
  return await runSteps(job, watchOne).catch((error: unknown): JobOutcome => {
    if (isCancellation(error)) return { kind: 'cancelled' };
    return { kind: 'failed', diagnosis: internalError(error, job) };
  });
}

/** Runs the steps in order; each begins only after the one before has completed. */
async function runSteps(job: ClaimedJob, watchOne: Watch): Promise<Ran> {
  if (job.from.kind === 'over') return job.from.outcome;
  let { step, attempt } = job.from;
  for (;;) {
    const spec = job.steps[step];
    if (!spec) return { kind: 'completed' };
    const ref = { jobId: job.id, step, attempt };
    setDetails(job, ref, 'launching');
    const launched = await launch(ref);
    if (launched.kind !== 'launched') return launched;
    setDetails(job, ref, 'watching');
    const outcome = await watchOne(ref);
    if (outcome.kind === 'failed' && mayRetry(outcome.diagnosis, attempt, spec.retries)) attempt += 1;
    else if (outcome.kind !== 'completed') return outcome;
    else {
      step += 1;
      attempt = 1;
    }
  }
}
