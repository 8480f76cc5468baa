/** Watches one attempt: hints wake it, a fresh observation decides, every write is guarded (design.md §3.7). */
import { setTimeout as wait } from 'node:timers/promises';
import { CancelledFailure, type Context } from '@temporalio/activity';
import { superseded } from './current-run.ts';
import { readLastReport } from '../src/db/reports.ts';
import {
  endStep,
  type Observed,
  observeStep,
  readStep,
  type StepRef,
  type StepRow,
} from '../src/db/steps.ts';
import type { StepSpec } from '../src/domain/job.ts';
import type { Diagnosis, StepOutcome } from '../src/domain/outcome.ts';
import type { Observation } from '../src/runner/runner.ts';
import { heartbeating } from './heartbeat.ts';
import { followLog, type ToEnd } from './step-log.ts';
import type { StepDeps } from './step-deps.ts';

/** State is re-read, and the row told so, at least this often, in milliseconds. */
const REREAD_MS = 5_000;
/** A chatty program does not make us write to Postgres, or look at all, more often than this. */
const WRITE_MS = 500;
const LOOK_MS = 40;
/** Limits are exceeded only after, not at, their time. */
const DUE_MARGIN_MS = 20;

/** An end is not told later than this for the sake of its log; what is still missing is carried as the job ends. */
const LOG_SILENT_MS = 5_000;
const LOG_WITHIN_MS = 30_000;

type Watched = Pick<Context, 'heartbeat' | 'cancellationSignal' | 'log'>;

export async function watchStep(
  deps: StepDeps,
  { ref, runId, limits }: { ref: StepRef; runId: string; limits: Limits },
  context: Watched,
): Promise<StepOutcome> {
  const row = await readStep(deps.db, ref);
  if (!row) throw new Error(`job ${ref.jobId} step ${ref.step} attempt ${ref.attempt} was never begun`);
  // An earlier watch recorded its end and was lost before it could tell: that is how it ended.
  const known = endedOutcome(row);
  if (known) return known;
  await using log = await followLog(deps, row);
  const restOfLog: ToEnd = {
    silentMs: LOG_SILENT_MS,
    withinMs: LOG_WITHIN_MS,
    signal: context.cancellationSignal,
    onTrouble: (error) => {
      context.log.warn('the log of a step cannot be read just now', { ...ref, error });
    },
  };
  let seen: Observation = { state: 'starting' };
  let waitingSince: { at: number; reason: string } | undefined;
  let written = { at: 0, state: '' };
  /** When time alone will change the verdict, in milliseconds since 1970. */
  let dueAt = Infinity;
  using _beat = heartbeating(context, () => seen);
  try {
    for (;;) {
      context.cancellationSignal.throwIfAborted();
      // The hint is asked for before the look, so that nothing falls between the two.
      const lookAgain = hint(deps, row.name, dueAt, context.cancellationSignal);
      lookAgain.catch(() => undefined); // awaited below; until then a rejection must not end the process
      seen = await deps.runner.observe({ name: row.name, uid: row.runner_uid });
      if (seen.state !== written.state || Date.now() - written.at >= WRITE_MS) {
        if (seen.state === 'ended') await log.copyToEnd(restOfLog);
        else await log.copy();
        const outcome = await judge(seen);
        if (outcome) return outcome;
        written = { at: Date.now(), state: seen.state };
      }
      await lookAgain;
    }
  } catch (error) {
    if (!context.cancellationSignal.aborted) throw error;
    // What was read already: its pod may be gone before anybody else can read it again.
    await log.copy();
    throw new CancelledFailure('the watch was cancelled');
  }

  async function judge(observation: Observation): Promise<StepOutcome | undefined> {
    const over = observation.state === 'ended' || observation.state === 'absent';
    const waiting = observation.state === 'waiting' ? observation : null;
    const observed = await observeStep(deps.db, ref, {
      runId,
      state: over ? 'running' : observation.state,
      reason: waiting?.reason ?? null,
      detail: waiting?.detail ?? null,
    });
    if (!observed) throw superseded(ref);
    // Whatever it is, an end during a cancel is the cancel's to judge: it asks the runner once more.
    if (observed.status === 'cancelling') return { kind: 'cancelled' };
    if (over) {
      const end = observation.state === 'ended' ? observation.end : ({ kind: 'disappeared' } as const);
      return await record(deps.runner.diagnose(end, await readLastReport(deps.db, ref)));
    }
    const overdue = hopeless(observation) ?? overLimit(observed, observation, limits);
    if (overdue) return await record({ kind: 'failed', diagnosis: overdue });
    const secondsLeft = Math.min(patienceLeft(observation), timeLeft(observed, limits));
    dueAt = Date.now() + secondsLeft * 1000 + DUE_MARGIN_MS;
    return undefined;
  }

  /** What does not mend by itself is not waited for until START_TIMEOUT. */
  function hopeless(observation: Observation): Diagnosis | undefined {
    if (observation.state !== 'waiting') {
      waitingSince = undefined;
      return undefined;
    }
    const { reason, giveUp } = observation;
    if (waitingSince?.reason !== reason) waitingSince = { at: Date.now(), reason };
    return giveUp && Date.now() - waitingSince.at >= giveUp.afterSeconds * 1000
      ? giveUp.diagnosis
      : undefined;
  }

  function patienceLeft(observation: Observation): number {
    if (observation.state !== 'waiting' || !observation.giveUp || !waitingSince) return Infinity;
    return observation.giveUp.afterSeconds - (Date.now() - waitingSince.at) / 1000;
  }

  async function record(outcome: StepOutcome): Promise<StepOutcome> {
    await endStep(deps.db, ref, {
      kind: outcome.kind,
      diagnosis: outcome.kind === 'failed' ? outcome.diagnosis : null,
    });
    const code = outcome.kind === 'failed' ? { code: outcome.diagnosis.code } : {};
    context.log.info('step ended', { outcome: outcome.kind, ...code });
    return outcome;
  }
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

type Limits = Pick<StepSpec, 'timeoutSeconds' | 'startTimeoutSeconds'>;

/** The exact limits; the runner's own deadline, their sum, is only the net below. */
function overLimit(observed: Observed, observation: Observation, limits: Limits): Diagnosis | undefined {
  if (observed.secondsSinceStarted !== null && observed.secondsSinceStarted > limits.timeoutSeconds)
    return {
      code: 'deadline',
      summary: `The step ran longer than the ${limits.timeoutSeconds} s that TIMEOUT allows and was ended.`,
      detail: `It had run for ${Math.round(observed.secondsSinceStarted)} s.`,
      what_to_do: 'Find out what was slow, or raise TIMEOUT in the params file.',
    };
  if (observed.secondsSinceStarted === null && observed.secondsSinceLaunched > limits.startTimeoutSeconds)
    return {
      code: 'start_timeout',
      summary: `The step did not start within the ${limits.startTimeoutSeconds} s that START_TIMEOUT allows.`,
      detail:
        observation.state === 'waiting' ? `${observation.reason}: ${observation.detail}` : observation.state,
      what_to_do: 'Mend what it waited for, or raise START_TIMEOUT in the params file.',
    };
  return undefined;
}

async function hint(deps: StepDeps, name: string, dueAt: number, cancelled: AbortSignal): Promise<void> {
  const patience = Math.max(WRITE_MS, Math.min(REREAD_MS, dueAt - Date.now()));
  await Promise.all([
    deps.runner.changed(name, AbortSignal.any([cancelled, AbortSignal.timeout(patience)])),
    wait(LOOK_MS),
  ]);
}
