/** Effects on steps: launch, watch, conclude. The loops live in files of their own. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { requestCancel } from '../src/db/cancel.ts';
import { finishJob } from '../src/db/finish.ts';
import { readCheckpoint } from '../src/db/reports.ts';
import {
  beginStep,
  endStep,
  listSteps,
  observeStep,
  readLaunchAge,
  readStep,
  readStepSpec,
  recordLaunched,
  type StepRef,
} from '../src/db/steps.ts';
import type { JobRow } from '../src/db/submit.ts';
import { stepName } from '../src/domain/names.ts';
import type { StepSpec } from '../src/domain/job.ts';
import { cut, type Diagnosis, type JobOutcome, type StepOutcome } from '../src/domain/outcome.ts';
import { makeReportToken } from '../src/report-token.ts';
import { currentRunId, superseded } from './current-run.ts';
import type { StepDeps } from './step-deps.ts';
import { sweepJob } from './sweep.ts';
import { watchStep } from './watch.ts';

export type LaunchResult = { readonly kind: 'launched' } | Exclude<StepOutcome, { kind: 'completed' }>;

const COMPLETED: JobOutcome = { kind: 'completed' };

export function stepActivities(deps: StepDeps) {
  const { db, runner } = deps;
  return {
    /** Adopt-or-create, after the row of the attempt and only when nothing else of the key runs. */
    async launch(ref: StepRef): Promise<LaunchResult> {
      const runId = currentRunId();
      const begun = await begin(ref, runId);
      if (begun.kind !== 'begun') return begun;
      try {
        return await create(ref, begun, runId);
      } catch (error) {
        // Whatever is in the way: until START_TIMEOUT it is tried again, and then the step has failed by it.
        const age = await readLaunchAge(db, ref);
        if (age <= begun.spec.startTimeoutSeconds) throw error;
        return await endUnlaunched(ref, {
          code: 'start_timeout',
          summary: `The step could not be launched within the ${begun.spec.startTimeoutSeconds} s that START_TIMEOUT allows.`,
          detail: cut(error instanceof Error ? error.message : String(error)),
          what_to_do: 'Mend what the detail names, or raise START_TIMEOUT in the params file.',
        });
      }
    },

    /** Follows the step to its end and records it; losing this activity merely re-attaches. */
    async watch(ref: StepRef): Promise<StepOutcome> {
      return await watchStep(deps, ref, currentRunId(), Context.current());
    },

    /**
     * Ends the job: nothing of it runs any more, then its final status, which frees the key, then what is left of it
     * is deleted. Safe to repeat, each part by itself.
     */
    async conclude(input: { jobId: number; outcome: JobOutcome }): Promise<void> {
      const runId = currentRunId();
      const { jobId, outcome } = input;
      // A cancel from the Temporal Web UI becomes the row's too.
      if (outcome.kind === 'cancelled') await requestCancel(db, { id: jobId, principal: 'temporal' });
      const swept = await sweepJob(deps, jobId, runId, Context.current());
      // Of what was cancelled, only what was seen to complete before our own delete counts.
      const seen = outcome.kind === 'cancelled' && swept.lastStepCompleted ? COMPLETED : outcome;
      await finishJob(db, { jobId, runId, outcome: seen });
      for (const step of await listSteps(db, jobId))
        if (step.runner_uid)
          await runner.forget({ name: step.name, uid: step.runner_uid }).catch((error: unknown) => {
            // The key is free by now and must not wait for this: the reconciler deletes what is left.
            Context.current().log.warn('what is left of a step could not be deleted yet', {
              step: step.name,
              error,
            });
          });
    },
  };

  async function create(
    ref: StepRef,
    { job, spec, name }: { job: JobRow; spec: StepSpec; name: string },
    runId: string,
  ): Promise<LaunchResult> {
    const row = await readStep(db, ref);
    // Made once already: a second object of the same attempt must never be, whatever became of the first.
    if (row?.runner_uid) return { kind: 'launched' };
    await waitForEarlier(job, name, ref, runId);
    const own = await readCheckpoint(db, job.id, ref.step);
    const checkpoint =
      own ?? (job.resumes === null ? undefined : await readCheckpoint(db, job.resumes, ref.step));
    const launched = await runner.launch({
      name,
      labels: {
        installation: deps.installation,
        jobId: job.id,
        jobUid: job.uid,
        env: job.env,
        target: job.target,
        action: spec.action,
        step: ref.step,
        attempt: ref.attempt,
        specHash: job.spec_hash,
      },
      spec,
      reportUrl: `${deps.reportBaseUrl}/jobs/${job.id}/report`,
      reportToken: makeReportToken(deps.secrets, { uid: job.uid, step: ref.step, attempt: ref.attempt }),
      checkpoint: checkpoint === undefined ? undefined : JSON.stringify(checkpoint),
    });
    if (launched.kind === 'being_deleted') throw new Error(`${name} is still being deleted`);
    if (launched.kind === 'name_conflict')
      return await endUnlaunched(ref, nameConflict(name, launched.owner));
    await recordLaunched(db, ref, launched.uid);
    return { kind: 'launched' };
  }

  async function begin(ref: StepRef, runId: string) {
    const { job: found, spec } = await readStepSpec(db, ref);
    if (!spec) throw ApplicationFailure.nonRetryable(`job ${ref.jobId} has no step ${ref.step}`);
    const name = stepName({ uid: found.uid, ...ref, action: spec.action });
    const { job, begun } = await beginStep(db, { ...ref, runId, action: spec.action, name });
    if (!job) throw superseded(ref);
    return begun ? ({ kind: 'begun', job, spec, name } as const) : ({ kind: 'cancelled' } as const);
  }

  /** Nothing else of the key may run: by a live listing, never from what we remember. */
  async function waitForEarlier(job: JobRow, name: string, ref: StepRef, runId: string): Promise<void> {
    const earlier = (await runner.list(job)).filter((listed) => listed.live && listed.name !== name);
    if (earlier.length === 0) return;
    const names = earlier.map((listed) => listed.name).join(', ');
    await observeStep(db, ref, {
      runId,
      state: 'waiting',
      reason: 'earlier_run',
      detail: `${names} of the same target still runs`,
    });
    throw new Error(`${names} of the same target still runs`);
  }

  async function endUnlaunched(ref: StepRef, diagnosis: Diagnosis): Promise<LaunchResult> {
    await endStep(db, ref, { kind: 'failed', diagnosis });
    return { kind: 'failed', diagnosis };
  }
}

function nameConflict(name: string, owner: string): Diagnosis {
  return {
    code: 'name_conflict',
    summary: `The name ${name} is taken by something that is not this job's.`,
    detail: `It belongs to ${owner}; it was neither adopted nor deleted.`,
    what_to_do: 'Remove what has the name, if it is not needed, and start the job again.',
  };
}
