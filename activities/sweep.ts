/**
 * The one delete routine: whatever of a job still runs is removed, and it returns when nothing does and all that it
 * printed is kept.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { readOwnJob } from '../src/db/claim.ts';
import { endStep, explainCancelling, listSteps, recordLaunched, refOf } from '../src/db/steps.ts';
import type { JobRow } from '../src/db/submit.ts';
import { cut } from '../src/domain/outcome.ts';
import type { Listed } from '../src/runner/runner.ts';
import { superseded } from './current-run.ts';
import { heartbeating } from './heartbeat.ts';
import { linesAreOf } from './job-lines.ts';
import { followLogs } from './last-words.ts';
import type { StepDeps } from './step-deps.ts';

/** What is being removed is looked at this often at most, and at least. */
const LOOK_MS = 250;
const REREAD_MS = 1_000;
/** A removal that takes longer than this is explained on the job, with what can be done. */
const SLOW_MS = 60_000;
/** Beyond the grace period: until an obedient node has said that a pod is gone. */
const OBEYS_WITHIN_MS = 15_000;
const REFUSED = 'removal_refused';

type Swept = { readonly lastStepCompleted: boolean };

export async function sweepJob(
  deps: StepDeps,
  jobId: number,
  runId: string,
  context: Pick<Context, 'heartbeat' | 'cancellationSignal' | 'log'>,
): Promise<Swept> {
  const { db, runner } = deps;
  const job = await readOurs();
  using _beat = heartbeating(context);
  await recordUnrecorded(deps, job);
  const began = Date.now();
  /** By uid: since when we have seen it told to end. */
  const toldSince = new Map<string, number>();
  const lastStepCompleted = await settleLastStep(deps, job);
  // From before the first word of a removal: a pod's log goes with the pod.
  await using logs = await followLogs(deps, jobId, context);
  for (;;) {
    const live = (await runner.list({ jobUid: job.uid })).filter((listed) => listed.live);
    if (live.length === 0) break;
    await logs.copy();
    const row = await readOurs();
    await removeAll(live, row.force_delete);
    const deaf = live.find(isDeaf);
    if (deaf?.ending) await explain('node_unreachable', unreachable(deaf.name, deaf.ending));
    else if (Date.now() - began > SLOW_MS) await explain('still_running', stillRunning(live));
    else if (row.status_reason === REFUSED) await explain('requested', null);
    // The worker is on its way out: the next one sweeps on.
    context.cancellationSignal.throwIfAborted();
    await hint(live, context.cancellationSignal);
  }
  await logs.copyToEnd();
  for (const step of await listSteps(db, jobId))
    if (step.ended_at === null) await endStep(db, refOf(step), { kind: 'cancelled', diagnosis: null });
  return { lastStepCompleted };

  /** Told by our own clock, which need not agree with the cluster's. */
  function isDeaf({ uid, ending }: Listed): boolean {
    if (!ending) return false;
    const since = toldSince.get(uid) ?? Date.now();
    toldSince.set(uid, since);
    return Date.now() - since > ending.graceSeconds * 1000 + OBEYS_WITHIN_MS;
  }

  function unreachable(name: string, { by, graceSeconds }: NonNullable<Listed['ending']>): string {
    return (
      `${by} was told to end ${name} within ${graceSeconds} s and does not say that it has; it may run on there. ` +
      `Mend the node, or, once it is sure to be off, POST /jobs/${jobId}/force-delete.`
    );
  }

  async function hint(live: readonly Listed[], cancelled: AbortSignal): Promise<void> {
    const enough = AbortSignal.any([cancelled, AbortSignal.timeout(REREAD_MS)]);
    await Promise.all([Promise.race(live.map(({ name }) => runner.changed(name, enough))), wait(LOOK_MS)]);
  }

  /** Never sweeps what a newer workflow may have started. */
  async function readOurs(): Promise<JobRow> {
    const row = await readOwnJob(db, { jobId, runId });
    if (!row) throw superseded({ jobId });
    linesAreOf(row);
    return row;
  }

  async function removeAll(live: readonly Listed[], force: boolean): Promise<void> {
    try {
      for (const { name, uid, removing } of live)
        if (force || !removing) await runner.remove({ name, uid, force });
    } catch (error) {
      // Tried again for as long as it takes: whoever looks at the job must see why that is long.
      await explain(REFUSED, cut(error instanceof Error ? error.message : String(error)));
      throw error;
    }
  }

  async function explain(reason: string, detail: string | null): Promise<void> {
    await explainCancelling(db, { jobId, runId, reason, detail });
  }

  function stillRunning(live: readonly Listed[]): string {
    const names = live.map((listed) => listed.name).join(', ');
    return `${names} does not end. POST /jobs/${jobId}/force-delete gives up on it.`;
  }
}

/** Whoever made it was lost before saying so: from now on its end, its log and its remains are looked after. */
async function recordUnrecorded({ db, runner }: StepDeps, job: JobRow): Promise<void> {
  const unrecorded = (await listSteps(db, job.id)).filter(({ runner_uid: uid }) => uid === null);
  if (unrecorded.length === 0) return;
  const listed = await runner.list({ jobUid: job.uid });
  for (const step of unrecorded) {
    const made = listed.find(({ name }) => name === step.name);
    if (made) await recordLaunched(db, refOf(step), made.uid);
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
