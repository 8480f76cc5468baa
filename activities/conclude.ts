/** The end of a job: nothing of it runs any more, then its final status, which frees the key, then its remains. */
import type { Context } from '@temporalio/activity';
import { requestCancel } from '../src/db/cancel.ts';
import { finishJob } from '../src/db/finish.ts';
import { mergeLog } from '../src/db/logs.ts';
import { listSteps, refOf } from '../src/db/steps.ts';
import type { JobOutcome } from '../src/domain/outcome.ts';
import type { StepDeps } from './step-deps.ts';
import { sweepJob } from './sweep.ts';

/** Safe to repeat, each part by itself, and by two at once: the final status is written once. */
export async function concludeJob(
  deps: StepDeps,
  { jobId, outcome, runId }: { jobId: number; outcome: JobOutcome; runId: string },
  context: Pick<Context, 'heartbeat' | 'cancellationSignal' | 'log'>,
): Promise<void> {
  const { db, runner } = deps;
  // A cancel from the Temporal Web UI becomes the row's too.
  if (outcome.kind === 'cancelled') await requestCancel(db, { id: jobId, principal: 'temporal' });
  const swept = await sweepJob(deps, jobId, runId, context);
  // Of what was cancelled, only what was seen to complete before our own delete counts.
  const completed = outcome.kind === 'cancelled' && swept.lastStepCompleted;
  const end = completed ? ({ kind: 'completed' } as const) : outcome;
  await finishJob(db, { jobId, runId, outcome: end });
  const code = end.kind === 'failed' ? { code: end.diagnosis.code } : {};
  context.log.info('job ended', { outcome: end.kind, ...code });
  for (const step of await listSteps(db, jobId)) {
    await mergeLog(db, refOf(step)).catch((error: unknown) => {
      context.log.warn('the log of a step stays in small parts', { ...refOf(step), error });
    });
    if (step.runner_uid)
      await runner.forget({ name: step.name, uid: step.runner_uid }).catch((error: unknown) => {
        // The key is free by now and must not wait for this: the reconciler deletes what is left.
        context.log.warn('what is left of a step could not be deleted yet', { step: step.name, error });
      });
  }
}
