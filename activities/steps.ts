/** The activities on a job and its steps: launch, watchStep, stopJob, recordEnd, cleanUp. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { readStepSpec, type StepRef } from '../src/db/jobs/steps.ts';
import type { JobRow } from '../src/db/schema.ts';
import type { StepSpec } from '../src/domain/job.ts';
import type { JobOutcome, StepOutcome } from '../src/domain/outcome.ts';
import type { FinalStatus } from '../src/domain/status.ts';
import { cancelExecution } from '../src/engine/cancel.ts';
import { cleanUp, type CleanUpInput, concludeJob, type EndInput, recordEnd } from './finish-job.ts';
import { type LaunchResult, launchStep } from './launch.ts';
import { bindLogContext } from './log-context.ts';
import { currentRun, currentRunId } from './run-guard.ts';
import type { StepDeps } from './step-deps.ts';
import { type StopInput, type Stopped, stopJob } from './stop-job.ts';
import { watchStep } from './watch.ts';

/** `concluded`: the last step completed, and the same activity has ended the job. */
export type WatchResult = StepOutcome | { readonly kind: 'concluded' };

export function stepActivities(deps: StepDeps) {
  return {
    ...endActivities(deps),
    ...activitiesOfOlderWorkflows(deps),

    /** Creates the step's object, or adopts it, once its row is written and nothing else of the key runs. */
    async launch(ref: StepRef): Promise<LaunchResult> {
      const { job, spec } = await readSpec(deps, ref);
      return await launchStep(deps, { ref, runId: currentRunId(), job, spec }, Context.current());
    },

    /** Follows the step to its end and records that end. Safe to lose: the next attempt re-attaches. */
    async watchStep(ref: StepRef): Promise<StepOutcome> {
      const { spec } = await readSpec(deps, ref);
      return await watchStep(deps, { ref, runId: currentRunId(), limits: spec }, Context.current());
    },
  };
}

/** How a job ends, in this order; each is safe to repeat. */
function endActivities(deps: StepDeps) {
  return {
    /** Removes everything of the job that still runs, and returns once nothing does. */
    async stopJob(input: StopInput): Promise<Stopped> {
      return await stopJob(deps, { ...input, runId: currentRunId() }, Context.current());
    },

    /** Writes the final status, which frees the key. Undefined when another run has the job. */
    async recordEnd(input: EndInput): Promise<FinalStatus | undefined> {
      return await recordEnd(deps, { ...input, runId: currentRunId() }, Context.current());
    },

    /** Merges logs and deletes what the runner keeps of the steps. */
    async cleanUp(input: CleanUpInput): Promise<void> {
      await cleanUp(deps, input, Context.current());
    },

    /**
     * Cancels the calling run. Temporal closes a run as Canceled only if its cancel was requested, and the
     * request of an earlier cancel may be lost, or may have reached an earlier run of the job.
     */
    async cancelOwnRun(): Promise<void> {
      await cancelExecution(deps.temporal, currentRun());
    },
  };
}

/** Workflows that version 0.2.0 or an older one started call these; name, input and result stay. */
function activitiesOfOlderWorkflows(deps: StepDeps) {
  return {
    /** `watchStep`; once the last step has completed, also the end of the job. */
    async watch(ref: StepRef): Promise<WatchResult> {
      const runId = currentRunId();
      const { job, spec } = await readSpec(deps, ref);
      const outcome = await watchStep(deps, { ref, runId, limits: spec }, Context.current());
      if (outcome.kind !== 'completed' || ref.step + 1 < job.steps_spec.length) return outcome;
      await concludeJob(deps, { jobId: ref.jobId, outcome, runId }, Context.current());
      return { kind: 'concluded' };
    },

    /** `stopJob`, `recordEnd`, `cleanUp` and `cancelOwnRun` in one. Undefined when another run has the job. */
    async conclude(input: { jobId: number; outcome: JobOutcome }): Promise<FinalStatus | undefined> {
      const status = await concludeJob(deps, { ...input, runId: currentRunId() }, Context.current());
      if (status === 'deleted') await cancelExecution(deps.temporal, currentRun());
      return status;
    },
  };
}

async function readSpec({ db }: StepDeps, ref: StepRef): Promise<{ job: JobRow; spec: StepSpec }> {
  const { job, spec } = await readStepSpec(db, ref);
  bindLogContext(job);
  if (!spec) throw ApplicationFailure.nonRetryable(`job ${ref.jobId} has no step ${ref.step}`);
  return { job, spec };
}
