/** Effects on steps: launch, watch, conclude. The loops live in files of their own. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { readCheckpoint } from '../src/db/checkpoints.ts';
import {
  beginStep,
  endStep,
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
import { concludeJob } from './conclude.ts';
import { currentRunId, superseded } from './current-run.ts';
import { heartbeating } from './heartbeat.ts';
import { linesAreOf } from './job-lines.ts';
import type { StepDeps } from './step-deps.ts';
import { watchStep } from './watch.ts';

/** What became of a step; `concluded`: it was the last one, it completed, and the job is over. */
export type WatchResult = StepOutcome | { readonly kind: 'concluded' };

export type LaunchResult = { readonly kind: 'launched' } | Exclude<StepOutcome, { kind: 'completed' }>;

/** It cannot be launched just now, and why; shown on the job until the next try. */
type Waiting = {
  readonly kind: 'waiting';
  readonly for: { readonly reason: string; readonly detail: string };
};

const waitingFor = (reason: string, detail: string): Waiting => ({
  kind: 'waiting',
  for: { reason, detail },
});

export function stepActivities(deps: StepDeps) {
  const { db, runner } = deps;
  return {
    /** Adopt-or-create, after the row of the attempt and only when nothing else of the key runs. */
    async launch(ref: StepRef): Promise<LaunchResult> {
      const runId = currentRunId();
      const begun = await begin(ref, runId);
      if (begun.kind !== 'begun') return begun;
      using _beat = heartbeating(Context.current());
      try {
        const created = await create(ref, begun);
        if (created.kind !== 'waiting') return created;
        await observeStep(db, ref, { runId, state: 'waiting', ...created.for });
        throw new Error(created.for.detail);
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

    /**
     * Follows the step to its end and records it; losing this activity merely re-attaches. With the last step seen to
     * complete it concludes the job too, which spares every good run a round of the server.
     */
    async watch(ref: StepRef): Promise<WatchResult> {
      const runId = currentRunId();
      const { job, spec } = await readSpec(ref);
      const outcome = await watchStep(deps, { ref, runId, limits: spec }, Context.current());
      if (outcome.kind !== 'completed' || ref.step + 1 < job.steps_spec.length) return outcome;
      await concludeJob(deps, { jobId: ref.jobId, outcome, runId }, Context.current());
      return { kind: 'concluded' };
    },

    /** Ends the job, whatever became of it. */
    async conclude(input: { jobId: number; outcome: JobOutcome }): Promise<void> {
      await concludeJob(deps, { ...input, runId: currentRunId() }, Context.current());
    },
  };

  async function create(
    ref: StepRef,
    { job, spec, name }: { job: JobRow; spec: StepSpec; name: string },
  ): Promise<LaunchResult | Waiting> {
    const row = await readStep(db, ref);
    // Made once already: a second object of the same attempt must never be, whatever became of the first.
    if (row?.runner_uid) return { kind: 'launched' };
    const earlier = await earlierRuns(job, name);
    if (earlier !== undefined) return waitingFor('earlier_run', `${earlier} of the same target still runs`);
    const checkpoint = await readCheckpoint(db, job.id, ref.step);
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
      traceparent: job.traceparent,
      reportToken: makeReportToken(deps.secrets, { uid: job.uid, step: ref.step, attempt: ref.attempt }),
      checkpoint: checkpoint === undefined ? undefined : JSON.stringify(checkpoint),
    });
    if (launched.kind === 'being_deleted') throw new Error(`${name} is still being deleted`);
    if (launched.kind === 'waiting') return waitingFor(launched.reason, launched.detail);
    if (launched.kind === 'refused') return await endUnlaunched(ref, launched.diagnosis);
    if (launched.kind === 'name_conflict')
      return await endUnlaunched(ref, nameConflict(name, launched.owner));
    await recordLaunched(db, ref, launched.uid);
    Context.current().log.info('step launched', { name });
    return { kind: 'launched' };
  }

  async function readSpec(ref: StepRef): Promise<{ job: JobRow; spec: StepSpec }> {
    const { job, spec } = await readStepSpec(db, ref);
    linesAreOf(job);
    if (!spec) throw ApplicationFailure.nonRetryable(`job ${ref.jobId} has no step ${ref.step}`);
    return { job, spec };
  }

  async function begin(ref: StepRef, runId: string) {
    const { job: found, spec } = await readSpec(ref);
    const name = stepName({ uid: found.uid, ...ref, action: spec.action });
    const { job, begun } = await beginStep(db, { ...ref, runId, action: spec.action, name });
    if (!job) throw superseded(ref);
    return begun ? ({ kind: 'begun', job, spec, name } as const) : ({ kind: 'cancelled' } as const);
  }

  /** Nothing else of the key may run: by a live listing, never from what we remember. */
  async function earlierRuns(job: JobRow, name: string): Promise<string | undefined> {
    const earlier = (await runner.list(job)).filter((listed) => listed.live && listed.name !== name);
    return earlier.length === 0 ? undefined : earlier.map((listed) => listed.name).join(', ');
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
