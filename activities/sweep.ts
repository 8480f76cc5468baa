/** The one delete routine: whatever of a job still runs is removed, and it returns when nothing does. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { readOwnJob } from '../src/db/claim.ts';
import { endStep, explainCancelling, listSteps, type StepRow } from '../src/db/steps.ts';
import type { JobRow } from '../src/db/submit.ts';
import type { Listed } from '../src/runner/runner.ts';
import { superseded } from './current-run.ts';
import { followLog } from './step-log.ts';
import type { StepDeps } from './step-deps.ts';

const LOOK_MS = 250;
const HEARTBEAT_MS = 3_000;
/** A removal that takes longer than this is explained on the job, with what can be done. */
const SLOW_MS = 60_000;

type Swept = { readonly lastStepCompleted: boolean };

export async function sweepJob(
  deps: StepDeps,
  jobId: number,
  runId: string,
  context: Pick<Context, 'heartbeat' | 'cancellationSignal'>,
): Promise<Swept> {
  const { db, runner } = deps;
  const job = await readOurs();
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  const began = Date.now();
  try {
    const lastStepCompleted = await settleLastStep(deps, job);
    for (;;) {
      const live = (await runner.list({ jobUid: job.uid })).filter((listed) => listed.live);
      if (live.length === 0) break;
      const { force_delete: force } = await readOurs();
      if (Date.now() - began > SLOW_MS) await explain(live);
      for (const { name, uid } of live) await runner.remove({ name, uid, force });
      // The worker is on its way out: the next one sweeps on.
      context.cancellationSignal.throwIfAborted();
      await wait(LOOK_MS);
    }
    for (const step of await listSteps(db, jobId)) {
      // Its last words, which nobody followed any more.
      await (await followLog(deps, refOf(step), step.name)).copy();
      if (step.ended_at === null) await endStep(db, refOf(step), { kind: 'cancelled', diagnosis: null });
    }
    return { lastStepCompleted };
  } finally {
    clearInterval(beat);
  }

  /** Never sweeps what a newer workflow may have started. */
  async function readOurs(): Promise<JobRow> {
    const row = await readOwnJob(db, { jobId, runId });
    if (!row) throw superseded({ jobId });
    return row;
  }

  async function explain(live: readonly Listed[]): Promise<void> {
    const names = live.map((listed) => listed.name).join(', ');
    await explainCancelling(db, {
      jobId,
      runId,
      reason: 'still_running',
      detail: `${names} does not end. POST /jobs/${jobId}/force-delete gives up on it.`,
    });
  }
}

/**
 * Looks at the last step once before anything is deleted: what has completed by then is completed. Its row is ended
 * accordingly, also when the watch that would have done so was lost.
 */
async function settleLastStep({ db, runner }: StepDeps, job: JobRow): Promise<boolean> {
  const last = (await listSteps(db, job.id)).at(-1);
  if (!last || last.step !== job.steps_spec.length - 1) return false;
  if (last.ended_at !== null) return last.outcome === 'completed';
  const seen = await runner.observe({ name: last.name, uid: last.runner_uid });
  if (seen.state !== 'ended' || seen.end.kind !== 'completed') return false;
  await endStep(db, refOf(last), { kind: 'completed', diagnosis: null });
  return true;
}

function refOf(step: StepRow) {
  return { jobId: step.job_id, step: step.step, attempt: step.attempt };
}
