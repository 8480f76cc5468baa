/** Watches one attempt: a change wakes it, a fresh observation decides, every write is guarded by the run that owns the job. */
import { setTimeout as wait } from 'node:timers/promises';
import { CancelledFailure, type Context } from '@temporalio/activity';
import { readLastReport } from '../src/db/jobs/reports.ts';
import {
  endStep,
  type Observed,
  observeStep,
  readStep,
  readStepSpec,
  type StepRef,
  type StepRow,
} from '../src/db/jobs/steps.ts';
import type { StepSpec } from '../src/domain/job.ts';
import type { Diagnosis, StepOutcome } from '../src/domain/outcome.ts';
import type { Observation, StepEnd } from '../src/runner/runner.ts';
import { type Heartbeat, heartbeating } from './heartbeat.ts';
import { superseded } from './run-guard.ts';
import type { StepDeps } from './step-deps.ts';
import { followLog, type StepLog, type ToEnd } from './step-log.ts';

/** The state is read again, and written to the row, at least this often, in milliseconds. */
const REREAD_MS = 5_000;
/** Lower bounds between two writes to Postgres and between two observations, however often a program changes. */
const WRITE_MS = 500;
const LOOK_MS = 40;
/** Milliseconds added to a limit, which is exceeded only after its time. */
const DUE_MARGIN_MS = 20;

/** An end waits this long for the rest of its log; stopJob copies what is still missing. */
const LOG_SILENT_MS = 5_000;
const LOG_WITHIN_MS = 30_000;

type Limits = Pick<StepSpec, 'timeoutSeconds' | 'startTimeoutSeconds'>;
type WatchContext = Heartbeat & Pick<Context, 'cancellationSignal' | 'log'>;

/** The state of one watch. */
type Watch = {
  readonly deps: StepDeps;
  readonly ref: StepRef;
  readonly runId: string;
  readonly limits: Limits;
  readonly context: WatchContext;
  /** Since when, and for which reason, the step has been waiting without a change. */
  waitingSince: { readonly at: number; readonly reason: string } | undefined;
  /** When time alone changes the verdict, in milliseconds since 1970. */
  dueAt: number;
};

/** @returns the outcome, which is recorded. @throws superseded when another run has the job */
export async function watchStep(
  deps: StepDeps,
  { ref, runId, limits }: { ref: StepRef; runId: string; limits: Limits },
  context: WatchContext,
): Promise<StepOutcome> {
  const row = await readStep(deps.db, ref);
  if (!row) throw new Error(`job ${ref.jobId} step ${ref.step} attempt ${ref.attempt} was never begun`);
  // An earlier watch recorded the end and was lost before it could return it.
  const known = endedOutcome(row);
  if (known) return known;
  await using log = await followLog(deps, row);
  const watch: Watch = { deps, ref, runId, limits, context, waitingSince: undefined, dueAt: Infinity };
  let seen: Observation = { state: 'starting' };
  using _beat = heartbeating(context, () => seen);
  try {
    return await observeToEnd(watch, row, log, (observation) => {
      seen = observation;
    });
  } catch (error) {
    if (!context.cancellationSignal.aborted) throw error;
    // Store what was read already: the pod may be gone before anything else can read its log.
    await log.copy();
    throw new CancelledFailure('the watch was cancelled');
  }
}

async function observeToEnd(
  watch: Watch,
  row: StepRow,
  log: StepLog,
  onObservation: (seen: Observation) => void,
): Promise<StepOutcome> {
  const { deps, context } = watch;
  let written = { at: 0, state: '' };
  for (;;) {
    context.cancellationSignal.throwIfAborted();
    // Wait for a change from before the observation, so that no change falls between the two.
    const lookAgain = untilChanged(watch, row.name);
    lookAgain.catch(() => undefined); // awaited below; until then a rejection must not end the process
    const seen = await deps.runner.observe({ name: row.name, uid: row.runner_uid });
    onObservation(seen);
    if (seen.state !== written.state || Date.now() - written.at >= WRITE_MS) {
      if (seen.state === 'ended') await log.copyToEnd(restOfLog(watch));
      else await log.copy();
      const outcome = await judge(watch, seen);
      if (outcome) return outcome;
      written = { at: Date.now(), state: seen.state };
    }
    await lookAgain;
  }
}

function restOfLog({ ref, context }: Watch): ToEnd {
  return {
    silentMs: LOG_SILENT_MS,
    withinMs: LOG_WITHIN_MS,
    signal: context.cancellationSignal,
    onTrouble: (error) => {
      context.log.warn('the log of a step cannot be read; retrying', { ...ref, error });
    },
  };
}

/** Writes an observation to the row. @returns the outcome once there is one */
async function judge(watch: Watch, observation: Observation): Promise<StepOutcome | undefined> {
  const { deps, ref, runId, limits } = watch;
  const isOver = observation.state === 'ended' || observation.state === 'absent';
  const waiting = observation.state === 'waiting' ? observation : null;
  const observed = await observeStep(deps.db, ref, {
    runId,
    state: isOver ? 'running' : observation.state,
    reason: waiting?.reason ?? null,
    detail: waiting?.detail ?? null,
  });
  if (!observed) throw superseded(ref);
  // During a cancel every end is for stopJob to judge, which observes the runner once more.
  if (observed.status === 'cancelling') return { kind: 'cancelled' };
  if (isOver) {
    const end = observation.state === 'ended' ? observation.end : ({ kind: 'disappeared' } as const);
    return await record(watch, await diagnose(watch, end));
  }
  const end = hopeless(watch, observation);
  const overdue = end === undefined ? overLimit(observed, observation, limits) : undefined;
  if (end) return await record(watch, await diagnose(watch, end));
  if (overdue) return await record(watch, { kind: 'failed', diagnosis: overdue });
  const secondsLeft = Math.min(patienceLeft(watch, observation), timeLeft(observed, limits));
  watch.dueAt = Date.now() + secondsLeft * 1000 + DUE_MARGIN_MS;
  return undefined;
}

async function diagnose({ deps, ref }: Watch, end: StepEnd): Promise<StepOutcome> {
  const { spec } = await readStepSpec(deps.db, ref);
  return deps.runner.diagnose(end, await readLastReport(deps.db, ref), spec?.ownExitCodes);
}

/** The end of a step that waits for something that does not come by itself, sooner than START_TIMEOUT. */
function hopeless(watch: Watch, observation: Observation): StepEnd | undefined {
  if (observation.state !== 'waiting') {
    watch.waitingSince = undefined;
    return undefined;
  }
  const { reason, giveUp } = observation;
  if (watch.waitingSince?.reason !== reason) watch.waitingSince = { at: Date.now(), reason };
  return giveUp && Date.now() - watch.waitingSince.at >= giveUp.afterSeconds * 1000
    ? (giveUp.end ?? { kind: 'diagnosed', diagnosis: giveUp.diagnosis })
    : undefined;
}

function patienceLeft({ waitingSince }: Watch, observation: Observation): number {
  if (observation.state !== 'waiting' || !observation.giveUp || !waitingSince) return Infinity;
  return observation.giveUp.afterSeconds - (Date.now() - waitingSince.at) / 1000;
}

async function record({ deps, ref, context }: Watch, outcome: StepOutcome): Promise<StepOutcome> {
  await endStep(deps.db, ref, {
    kind: outcome.kind,
    diagnosis: outcome.kind === 'failed' ? outcome.diagnosis : null,
  });
  const code = outcome.kind === 'failed' ? { code: outcome.diagnosis.code } : {};
  context.log.info('step ended', { outcome: outcome.kind, ...code });
  return outcome;
}

function endedOutcome(row: StepRow): StepOutcome | undefined {
  if (row.outcome === null) return undefined;
  if (row.outcome !== 'failed') return { kind: row.outcome };
  return row.diagnosis ? { kind: 'failed', diagnosis: row.diagnosis } : undefined;
}

function timeLeft({ secondsSinceStarted, secondsSinceLaunched }: Observed, limits: Limits): number {
  return secondsSinceStarted === null
    ? limits.startTimeoutSeconds - secondsSinceLaunched
    : limits.timeoutSeconds - secondsSinceStarted;
}

/** Checks the exact limits; the runner's own deadline, their sum, is only a safety net. */
function overLimit(observed: Observed, observation: Observation, limits: Limits): Diagnosis | undefined {
  if (observed.secondsSinceStarted !== null && observed.secondsSinceStarted > limits.timeoutSeconds)
    return {
      code: 'deadline',
      summary: `The step ran longer than the ${limits.timeoutSeconds} s that TIMEOUT allows and was ended.`,
      detail: `It had run for ${Math.round(observed.secondsSinceStarted)} s.`,
      what_to_do: 'Find the cause of the delay, or raise TIMEOUT in the params file.',
    };
  if (observed.secondsSinceStarted === null && observed.secondsSinceLaunched > limits.startTimeoutSeconds)
    return {
      code: 'start_timeout',
      summary: `The step did not start within the ${limits.startTimeoutSeconds} s that START_TIMEOUT allows.`,
      detail:
        observation.state === 'waiting' ? `${observation.reason}: ${observation.detail}` : observation.state,
      what_to_do: 'Fix the cause that the detail names, or raise START_TIMEOUT in the params file.',
    };
  return undefined;
}

async function untilChanged({ deps, dueAt, context }: Watch, name: string): Promise<void> {
  const patience = Math.max(WRITE_MS, Math.min(REREAD_MS, dueAt - Date.now()));
  await Promise.all([
    deps.runner.changed(name, AbortSignal.any([context.cancellationSignal, AbortSignal.timeout(patience)])),
    wait(LOOK_MS),
  ]);
}
