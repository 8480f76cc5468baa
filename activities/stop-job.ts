/**
 * Stops a job: removes everything of it that still runs, and returns once nothing runs and its whole output is
 * stored. Only a force-delete gives up on an object that does not end: the next launch of the target checks it
 * again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { requestCancel } from '../src/db/jobs/cancel.ts';
import { readOwnJob } from '../src/db/jobs/claim.ts';
import {
  endStep,
  explainCancelling,
  listSteps,
  recordLaunched,
  refOf,
  type StepRow,
} from '../src/db/jobs/steps.ts';
import type { JobRow } from '../src/db/schema.ts';
import { cut } from '../src/domain/outcome.ts';
import type { Listed } from '../src/runner/runner.ts';
import { type Heartbeat, heartbeating } from './heartbeat.ts';
import { type LeftBehind, leftBehind } from './left-behind.ts';
import { bindLogContext, type LoggedJob } from './log-context.ts';
import { followLogs, type RemainingLogs } from './remaining-logs.ts';
import { superseded } from './run-guard.ts';
import type { StepDeps } from './step-deps.ts';

/** Milliseconds between two listings while something is being removed: at least, and at most. */
const LOOK_MS = 250;
const REREAD_MS = 1_000;
/** A removal that takes longer than this is explained on the job, together with the remedy. */
const SLOW_MS = 60_000;
/** After this long, whatever a forced removal has not ended will not end. */
const FORCED_MS = 10_000;
/** Added to the grace period: a healthy node has reported the end of a pod by then. */
const OBEYS_WITHIN_MS = 15_000;
const REFUSED = 'removal_refused';

/** One attempt of a step, and the object that the runner made for it. */
export type Remains = {
  readonly step: number;
  readonly attempt: number;
  readonly name: string;
  readonly uid: string | null;
};

/** A plain value: workflows pass it on to `recordEnd` and `cleanUp`. */
export type Stopped = {
  /** The last step completed before its removal began. */
  readonly lastStepCompleted: boolean;
  /** Objects that remain in spite of the removal; absent if there are none. */
  readonly left?: LeftBehind | undefined;
  readonly remains: readonly Remains[];
};

export type StopInput = LoggedJob & { readonly isCancelled: boolean };
export type OwnRun = { readonly runId: string };
type StopContext = Heartbeat & Pick<Context, 'cancellationSignal' | 'log'>;

type Removal = {
  readonly deps: StepDeps;
  readonly jobId: number;
  readonly runId: string;
  readonly context: StopContext;
  readonly began: number;
  /** By uid: since when this activity has seen the object ending, by our own clock, which may differ from the cluster's. */
  readonly endingSince: Map<string, number>;
};

/** Safe to repeat, also after the end of the job was recorded. @throws superseded when another run has the job */
export async function stopJob(
  deps: StepDeps,
  { jobId, isCancelled, runId }: StopInput & OwnRun,
  context: StopContext,
): Promise<Stopped> {
  // A cancel from the Temporal Web UI reaches the row here.
  if (isCancelled) await requestCancel(deps.db, { id: jobId, principal: 'temporal' });
  const removal: Removal = { deps, jobId, runId, context, began: Date.now(), endingSince: new Map() };
  const job = await readOwn(removal);
  using _beat = heartbeating(context);
  const listed = await deps.runner.list({ jobUid: job.uid });
  const steps = await recordUnrecorded(deps, await listSteps(deps.db, jobId), listed);
  const lastStepCompleted = await settleLastStep(deps, job, steps);
  const isLive = listed.some(({ live }) => live);
  // Open the logs before the first removal: the log of a pod disappears with the pod.
  await using logs = await followLogs(deps, steps, context);
  const left = isLive ? await removeUntilGone(removal, job, listed, logs) : listed;
  await logs.copyToEnd();
  const ended = isLive ? await listSteps(deps.db, jobId) : steps;
  for (const step of ended)
    if (step.ended_at === null) await endStep(deps.db, refOf(step), { kind: 'cancelled', diagnosis: null });
  return {
    lastStepCompleted,
    left: leftBehind(left),
    remains: ended.map(({ step, attempt, name, runner_uid: uid }) => ({ step, attempt, name, uid })),
  };
}

/** @returns the last listing: nothing in it lives, unless a force-delete gave up */
async function removeUntilGone(
  removal: Removal,
  { uid: jobUid }: JobRow,
  first: readonly Listed[],
  logs: RemainingLogs,
): Promise<readonly Listed[]> {
  const { runner } = removal.deps;
  const { cancellationSignal } = removal.context;
  let listed = first;
  for (let forcedAt = Infinity; ; listed = await runner.list({ jobUid })) {
    const live = listed.filter((one) => one.live);
    if (live.length === 0 || Date.now() - forcedAt > FORCED_MS) return listed;
    await logs.copy();
    const row = await readOwn(removal);
    await removeAll(removal, live, row.force_delete);
    if (row.force_delete) forcedAt = Math.min(forcedAt, Date.now());
    await explainDelay(removal, live, row);
    // The worker shuts down: another one continues.
    cancellationSignal.throwIfAborted();
    await untilChanged(removal, live);
  }
}

async function untilChanged({ deps, context }: Removal, live: readonly Listed[]): Promise<void> {
  const enough = AbortSignal.any([context.cancellationSignal, AbortSignal.timeout(REREAD_MS)]);
  await Promise.all([Promise.race(live.map(({ name }) => deps.runner.changed(name, enough))), wait(LOOK_MS)]);
}

/** Never acts on a job that a newer run has, since that run may have launched something. */
async function readOwn({ deps, jobId, runId }: Removal): Promise<JobRow> {
  const row = await readOwnJob(deps.db, { jobId, runId });
  if (!row) throw superseded({ jobId });
  bindLogContext(row);
  return row;
}

async function removeAll(removal: Removal, live: readonly Listed[], force: boolean): Promise<void> {
  try {
    for (const { name, uid, removing } of live)
      if (force || !removing) await removal.deps.runner.remove({ name, uid, force });
  } catch (error) {
    // Temporal retries without a limit, so the job itself must show why the removal takes long.
    await explain(removal, REFUSED, cut(error instanceof Error ? error.message : String(error)));
    throw error;
  }
}

async function explainDelay(removal: Removal, live: readonly Listed[], row: JobRow): Promise<void> {
  const { jobId, began } = removal;
  const deaf = live.find((one) => isDeaf(removal, one));
  if (deaf?.ending) {
    const { by, graceSeconds } = deaf.ending;
    await explain(
      removal,
      'node_unreachable',
      `${by} was told to end ${deaf.name} within ${graceSeconds} s and has not confirmed its end; it may still run there. ` +
        `Repair the node, or, once it is certainly off, call POST /jobs/${jobId}/force-delete.`,
    );
  } else if (Date.now() - began > SLOW_MS) {
    const names = live.map(({ name }) => name).join(', ');
    await explain(
      removal,
      'still_running',
      `${names} does not end. POST /jobs/${jobId}/force-delete gives up on it.`,
    );
  } else if (row.status_reason === REFUSED) await explain(removal, 'requested', null);
}

function isDeaf({ endingSince }: Removal, { uid, ending }: Listed): boolean {
  if (!ending) return false;
  const since = endingSince.get(uid) ?? Date.now();
  endingSince.set(uid, since);
  return Date.now() - since > ending.graceSeconds * 1000 + OBEYS_WITHIN_MS;
}

async function explain(
  { deps, jobId, runId }: Removal,
  reason: string,
  detail: string | null,
): Promise<void> {
  await explainCancelling(deps.db, { jobId, runId, reason, detail });
}

/**
 * Records the objects of launches whose worker died before it could: their end, log and removal depend on it.
 * @returns the steps with the uids recorded
 */
async function recordUnrecorded(
  { db }: StepDeps,
  steps: readonly StepRow[],
  listed: readonly Listed[],
): Promise<readonly StepRow[]> {
  const recorded: StepRow[] = [];
  for (const step of steps) {
    const made = step.runner_uid === null ? listed.find(({ name }) => name === step.name) : undefined;
    if (made) await recordLaunched(db, refOf(step), made.uid);
    recorded.push(made ? { ...step, runner_uid: made.uid } : step);
  }
  return recorded;
}

/**
 * Observes the last step once before any removal: a step that has completed by then is completed. Ends its row
 * accordingly, also when the watching activity was lost before it did.
 */
async function settleLastStep(
  { db, runner }: StepDeps,
  job: JobRow,
  steps: readonly StepRow[],
): Promise<boolean> {
  const last = steps.at(-1);
  if (!last || last.step !== job.steps_spec.length - 1) return false;
  if (last.ended_at !== null) return last.outcome === 'completed';
  const seen = await runner.observe({ name: last.name, uid: last.runner_uid });
  if (seen.state !== 'ended' || seen.end.kind !== 'completed') return false;
  await endStep(db, refOf(last), { kind: 'completed', diagnosis: null });
  return true;
}
