/**
 * runJob: serve one key (design.md §3). Its id is `syncrator/<env>/<target>`, so there is never more than one, and
 * so never more than one job running for the key. Changing the order of what is awaited needs `patched()`.
 */
import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { type ClaimedJob, mayRetry } from '../src/domain/claimed-job.ts';
import type { JobOutcome } from '../src/domain/outcome.ts';
import { POKED, WATCH_TASK_QUEUE } from '../src/domain/workflow.ts';
import { failedBeyondRepair, showClaimed, showStage } from './show.ts';

const retry = { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' } as const;

/** One statement or two: run inside the workflow task, which spares each run a round of the server. */
const { claim } = proxyLocalActivities<Activities>({ startToCloseTimeout: '10 seconds', retry });
/** A cancel waits for a create that is under way, so that none lands after the sweep. */
const { launch } = proxyActivities<Activities>({
  // Several calls of a cluster that may be slow; a dead worker is noticed by its heartbeat.
  startToCloseTimeout: '60 seconds',
  heartbeatTimeout: '10 seconds',
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
/** These only read, or repeat what is safe to repeat: losing one merely re-attaches. */
const { watch, conclude } = proxyActivities<Activities>({
  taskQueue: WATCH_TASK_QUEUE,
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '10 seconds',
  retry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

export const poked = defineSignal(POKED);

export async function runJob(env: string, target: string): Promise<void> {
  let isPoked = false;
  setHandler(poked, () => {
    isPoked = true;
  });
  // The signal we were started with is handed over in the next microtask; it is answered by the claim.
  await Promise.resolve();
  isPoked = false;

  const { runId, startTime } = workflowInfo();
  const job = await CancellationScope.nonCancellable(() =>
    claim({ env, target, runId, runStartedAt: startTime.toISOString() }),
  );
  if (job) {
    const outcome = await serve(job);
    if (outcome.kind !== 'concluded') {
      // While the job is active no other can be stored for the key: pokes up to here wanted nothing new.
      isPoked = false;
      showStage(job, null, outcome.kind);
      await CancellationScope.nonCancellable(() => conclude({ jobId: job.id, outcome }));
    }
  }
  if (isPoked) await continueAsNew<typeof runJob>(env, target);
}

/** `concluded`: the job is over, and its record closed. */
type Served = JobOutcome | { readonly kind: 'concluded' };

async function serve(job: ClaimedJob): Promise<Served> {
  showClaimed(job);
  return await runSteps(job).catch((error: unknown): JobOutcome => {
    if (isCancellation(error)) return { kind: 'cancelled' };
    return { kind: 'failed', diagnosis: failedBeyondRepair(error, job) };
  });
}

/** One step after the other; the next only when the one before was seen to complete. */
async function runSteps(job: ClaimedJob): Promise<Served> {
  if (job.from.kind === 'over') return job.from.outcome;
  let { step, attempt } = job.from;
  for (;;) {
    const spec = job.steps[step];
    if (!spec) return { kind: 'completed' };
    const ref = { jobId: job.id, step, attempt };
    showStage(job, ref, 'launching');
    const launched = await launch(ref);
    if (launched.kind !== 'launched') return launched;
    showStage(job, ref, 'watching');
    const outcome = await watch(ref);
    if (outcome.kind === 'failed' && mayRetry(outcome.diagnosis, attempt, spec.retries)) attempt += 1;
    else if (outcome.kind !== 'completed') return outcome;
    else [step, attempt] = [step + 1, 1];
  }
}
