/** The logs of all steps of a job that is about to end: followed while it is ended, and closed before it is removed. */
import type { Context } from '@temporalio/activity';
import { endLog } from '../src/db/logs.ts';
import { listSteps, readStep } from '../src/db/steps.ts';
import type { StepDeps } from './step-deps.ts';
import { followLog, type StepLog } from './step-log.ts';

/**
 * The last chance of a log that could not be read until now: a node that is gone keeps no job from ending, and nothing
 * that goes on coming is cut.
 */
const SILENT_MS = 15_000;
const WITHIN_MS = 120_000;

export type LastWords = AsyncDisposable & {
  copy(): Promise<void>;
  /** Nothing of the job runs any more. What cannot be had of a log is recorded as missing. */
  copyToEnd(): Promise<void>;
};

/** Follows the logs that are not known to be complete. */
export async function followLogs(
  deps: StepDeps,
  jobId: number,
  { cancellationSignal, log }: Pick<Context, 'cancellationSignal' | 'log'>,
): Promise<LastWords> {
  const open: StepLog[] = [];
  const closeAll = async () => {
    for (const one of open) await one[Symbol.asyncDispose]();
  };
  const steps = await listSteps(deps.db, jobId);
  for (const step of steps) if (step.log_state === 'growing') open.push(await followLog(deps, step));
  return {
    async copy() {
      for (const one of open) await one.copy();
    },
    async copyToEnd() {
      for (const one of open) if (!(await isWhole(one))) await giveUp(one);
    },
    [Symbol.asyncDispose]: closeAll,
  };

  async function isWhole(one: StepLog): Promise<boolean> {
    const onTrouble = (error: unknown) => {
      log.warn('the log of a step cannot be read just now', { ...one.ref, error });
    };
    return await one.copyToEnd({
      silentMs: SILENT_MS,
      withinMs: WITHIN_MS,
      signal: cancellationSignal,
      onTrouble,
    });
  }

  async function giveUp({ ref }: StepLog): Promise<void> {
    const step = await readStep(deps.db, ref);
    // What never came to run has printed nothing.
    if (step?.started_at === null && step.log_bytes === 0) return await endLog(deps.db, ref, 'complete');
    log.warn('the end of a log cannot be had', { ...ref });
    await endLog(deps.db, ref, 'end_missing');
  }
}
