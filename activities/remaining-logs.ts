/** The logs of a job's steps that are not complete yet: followed while the job is stopped, closed before it is removed. */
import type { Context } from '@temporalio/activity';
import { endLog } from '../src/db/jobs/logs.ts';
import { readStep, type StepRow } from '../src/db/jobs/steps.ts';
import type { StepDeps } from './step-deps.ts';
import { followLog, type StepLog } from './step-log.ts';

/**
 * Milliseconds that a log may stay silent, and take in all, until it is given up: a lost node must not keep a job from
 * ending, and a log that still arrives must not be cut.
 */
const SILENT_MS = 15_000;
const WITHIN_MS = 120_000;

export type RemainingLogs = AsyncDisposable & {
  copy(): Promise<void>;
  /** Copies the rest of all logs once nothing of the job runs; records which ends are missing. */
  copyToEnd(): Promise<void>;
};

/** Follows the logs that may still be incomplete. */
export async function followLogs(
  deps: StepDeps,
  steps: readonly StepRow[],
  context: Pick<Context, 'cancellationSignal' | 'log'>,
): Promise<RemainingLogs> {
  const open: StepLog[] = [];
  for (const step of steps) if (step.log_state === 'growing') open.push(await followLog(deps, step));
  return {
    async copy() {
      for (const one of open) await one.copy();
    },
    async copyToEnd() {
      for (const one of open) if (!(await isWhole(one, context))) await giveUp(deps, one, context);
    },
    async [Symbol.asyncDispose]() {
      for (const one of open) await one[Symbol.asyncDispose]();
    },
  };
}

async function isWhole(
  one: StepLog,
  { cancellationSignal: signal, log }: Pick<Context, 'cancellationSignal' | 'log'>,
): Promise<boolean> {
  const onTrouble = (error: unknown) => {
    log.warn('the log of a step cannot be read; retrying', { ...one.ref, error });
  };
  return await one.copyToEnd({ silentMs: SILENT_MS, withinMs: WITHIN_MS, signal, onTrouble });
}

async function giveUp({ db }: StepDeps, { ref }: StepLog, { log }: Pick<Context, 'log'>): Promise<void> {
  const step = await readStep(db, ref);
  // A program that never started has printed nothing.
  if (step?.started_at === null && step.log_bytes === 0) return await endLog(db, ref, 'complete');
  log.warn('the end of a log cannot be read; the log is stored as incomplete', { ...ref });
  await endLog(db, ref, 'end_missing');
}
