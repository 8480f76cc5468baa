/** Finishes a job that is stopped: records its end, which frees the key, and cleans up after it. */
import type { Context } from '@temporalio/activity';
import { finishJob } from '../src/db/jobs/finish.ts';
import { mergeLog } from '../src/db/jobs/logs.ts';
import type { JobOutcome } from '../src/domain/outcome.ts';
import { pokeSource } from '../src/engine/source-places.ts';
import type { FinalStatus } from '../src/domain/status.ts';
import { type Heartbeat, heartbeating } from './heartbeat.ts';
import type { LoggedJob } from './log-context.ts';
import type { StepDeps } from './step-deps.ts';
import { type OwnRun, type Stopped, stopJob } from './stop-job.ts';

export type EndInput = LoggedJob & {
  readonly outcome: JobOutcome;
  readonly stopped: Pick<Stopped, 'lastStepCompleted' | 'left'>;
};
export type CleanUpInput = LoggedJob & Pick<Stopped, 'remains'>;
type EndContext = Heartbeat & Pick<Context, 'log'>;

/**
 * Writes the final status once. Returns the status that the row has; undefined when another run has the job. Safe to
 * repeat.
 */
export async function recordEnd(
  { db, temporal, sourceLimits: limits }: StepDeps,
  { jobId, outcome, stopped, runId }: EndInput & OwnRun,
  context: EndContext,
): Promise<FinalStatus | undefined> {
  using _beat = heartbeating(context);
  // A cancelled job counts as completed only if its last step had completed before our own removal.
  const isCompleted = outcome.kind === 'cancelled' && stopped.lastStepCompleted;
  const end = isCompleted ? ({ kind: 'completed' } as const) : outcome;
  const finished = await finishJob(db, { jobId, runId, outcome: end, left: stopped.left });
  const code = end.kind === 'failed' ? { code: end.diagnosis.code } : {};
  const left = stopped.left ? { left: stopped.left.objects } : {};
  // Temporal repeats an activity whose answer was lost; one end is one line.
  if (finished?.isNew) context.log.info('job ended', { outcome: end.kind, ...code, ...left });
  if (finished?.source)
    await pokeSource({ db, temporal, limits }, finished.source, (error) => {
      context.log.warn('the next job of a source could not be poked; the reconciler will poke it', { error });
    });
  return finished?.status;
}

/**
 * Merges the logs of the steps and deletes the objects that the runner keeps of them. Only logs its errors, because the
 * key is free already: the reconciler deletes what stays. Safe to repeat.
 */
export async function cleanUp(
  { db, runner }: StepDeps,
  { jobId, remains }: CleanUpInput,
  context: EndContext,
): Promise<void> {
  const { log } = context;
  using _beat = heartbeating(context);
  for (const { step, attempt, name, uid } of remains) {
    const ref = { jobId, step, attempt };
    await mergeLog(db, ref).catch((error: unknown) => {
      log.warn('the log parts of a step could not be merged; the log stays readable', { ...ref, error });
    });
    if (uid !== null)
      await runner.forget({ name, uid }).catch((error: unknown) => {
        log.warn('the object of a step could not be deleted; the reconciler deletes it', {
          step: name,
          error,
        });
      });
  }
}

/** Does all of it in one activity, for workflows that an older version started. Safe to repeat. */
export async function concludeJob(
  deps: StepDeps,
  { jobId, outcome, runId }: { jobId: number; outcome: JobOutcome } & OwnRun,
  context: Parameters<typeof stopJob>[2],
): Promise<FinalStatus | undefined> {
  const isCancelled = outcome.kind === 'cancelled';
  const stopped = await stopJob(deps, { jobId, isCancelled, runId }, context);
  const status = await recordEnd(deps, { jobId, outcome, stopped, runId }, context);
  await cleanUp(deps, { jobId, remains: stopped.remains }, context);
  return status;
}
