/** Launches one attempt of a step: writes its row, then creates its object or adopts it. */
import type { Context } from '@temporalio/activity';
import { makeReportToken } from '../src/auth/report-token.ts';
import { readOriginUid } from '../src/db/access/origin.ts';
import { readCheckpoint } from '../src/db/jobs/checkpoints.ts';
import {
  beginStep,
  endStep,
  observeStep,
  readLaunchAge,
  readStep,
  recordLaunched,
  type StepRef,
} from '../src/db/jobs/steps.ts';
import type { JobRow } from '../src/db/schema.ts';
import type { StepSpec } from '../src/domain/job.ts';
import { stepName } from '../src/domain/names.ts';
import { cut, type Diagnosis, type StepOutcome } from '../src/domain/outcome.ts';
import type { StepLaunch } from '../src/runner/runner.ts';
import { type Heartbeat, heartbeating } from './heartbeat.ts';
import { superseded } from './run-guard.ts';
import type { StepDeps } from './step-deps.ts';

export type LaunchResult = { readonly kind: 'launched' } | Exclude<StepOutcome, { kind: 'completed' }>;

/** The step cannot be launched now; the job shows why until the next try. */
type Waiting = {
  readonly kind: 'waiting';
  readonly for: { readonly reason: string; readonly detail: string };
};

type Launch = {
  readonly ref: StepRef;
  readonly job: JobRow;
  readonly spec: StepSpec;
  readonly name: string;
};

/** @throws Error as long as the step cannot be launched: Temporal retries, until START_TIMEOUT has passed */
export async function launchStep(
  deps: StepDeps,
  { ref, runId, job: found, spec }: { ref: StepRef; runId: string; job: JobRow; spec: StepSpec },
  context: Heartbeat & Pick<Context, 'log'>,
): Promise<LaunchResult> {
  const { db } = deps;
  const name = stepName({ uid: found.uid, ...ref, action: spec.action });
  const { job, begun } = await beginStep(db, { ...ref, runId, action: spec.action, name });
  if (!job) throw superseded(ref);
  if (!begun) return { kind: 'cancelled' };
  using _beat = heartbeating(context);
  try {
    const created = await createOrAdopt(deps, { ref, job, spec, name }, context);
    if (created.kind !== 'waiting') return created;
    await observeStep(db, ref, { runId, state: 'waiting', ...created.for });
    throw new Error(created.for.detail);
  } catch (error) {
    // Measures the age of the attempt's row instead of a time-out of Temporal: the age survives a takeover by
    // another run, and never expires in the middle of a create.
    const age = await readLaunchAge(db, ref);
    if (age <= spec.startTimeoutSeconds) throw error;
    return await endUnlaunched(deps, ref, startTimeout(spec.startTimeoutSeconds, error));
  }
}

async function createOrAdopt(
  deps: StepDeps,
  launch: Launch,
  { log }: Pick<Context, 'log'>,
): Promise<LaunchResult | Waiting> {
  const { db, runner } = deps;
  const { ref, job, name } = launch;
  const row = await readStep(db, ref);
  // Launched before: a second object of the same attempt must never exist, whatever happened to the first.
  if (row?.runner_uid) return { kind: 'launched' };
  const earlier = await earlierRuns(deps, job, name);
  if (earlier !== undefined) return waitingFor('earlier_run', `${earlier} of the same target still runs`);
  const launched = await runner.launch(await stepLaunch(deps, launch));
  if (launched.kind === 'being_deleted') throw new Error(`${name} is still being deleted`);
  if (launched.kind === 'waiting') return waitingFor(launched.reason, launched.detail);
  if (launched.kind === 'refused') return await endUnlaunched(deps, ref, launched.diagnosis);
  if (launched.kind === 'name_conflict')
    return await endUnlaunched(deps, ref, nameConflict(name, launched.owner));
  await recordLaunched(db, ref, launched.uid);
  log.info('step launched', { name });
  return { kind: 'launched' };
}

async function stepLaunch(deps: StepDeps, { ref, job, spec, name }: Launch): Promise<StepLaunch> {
  const { step, attempt } = ref;
  const checkpoint = await readCheckpoint(deps.db, job.id, step);
  return {
    name,
    labels: {
      installation: deps.installation,
      jobId: job.id,
      jobUid: job.uid,
      env: job.env,
      target: job.target,
      action: spec.action,
      step,
      attempt,
      specHash: job.spec_hash,
    },
    originUid: await readOriginUid(deps.db, job),
    spec,
    reportUrl: `${deps.reportBaseUrl}/jobs/${job.id}/report`,
    traceparent: job.traceparent,
    reportToken: makeReportToken(deps.secrets, { uid: job.uid, step, attempt }),
    checkpoint: checkpoint === undefined ? undefined : JSON.stringify(checkpoint),
  };
}

/** Names of everything else of the key that runs, from a fresh listing of the runner. */
async function earlierRuns({ runner }: StepDeps, job: JobRow, name: string): Promise<string | undefined> {
  const earlier = (await runner.list(job)).filter((listed) => listed.live && listed.name !== name);
  return earlier.length === 0 ? undefined : earlier.map((listed) => listed.name).join(', ');
}

async function endUnlaunched({ db }: StepDeps, ref: StepRef, diagnosis: Diagnosis): Promise<LaunchResult> {
  await endStep(db, ref, { kind: 'failed', diagnosis });
  return { kind: 'failed', diagnosis };
}

function waitingFor(reason: string, detail: string): Waiting {
  return { kind: 'waiting', for: { reason, detail } };
}

function startTimeout(seconds: number, error: unknown): Diagnosis {
  return {
    code: 'start_timeout',
    summary: `The step could not be launched within the ${seconds} s that START_TIMEOUT allows.`,
    detail: cut(error instanceof Error ? error.message : String(error)),
    what_to_do: 'Fix the cause that the detail names, or raise START_TIMEOUT in the params file.',
  };
}

function nameConflict(name: string, owner: string): Diagnosis {
  return {
    code: 'name_conflict',
    summary: `The name ${name} is taken by an object that is not this job's.`,
    detail: `It belongs to ${owner}; it was neither adopted nor deleted.`,
    what_to_do: 'If nobody needs that object, remove it; then start the job again.',
  };
}
