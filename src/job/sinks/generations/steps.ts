/** Records the last applied steps, so that none is applied twice. Pure. */
import type { Applied } from '../sink.ts';
import { stepKey, type Writer } from '../writer.ts';
import { isNamed } from './rollback-goal.ts';
import type { LeftBy, Step } from './state-parts.ts';

/** A job is retried before the next job of its target begins, so few steps suffice. */
const MOST_KEPT = 10;

/** The steps with this one added. Only the newest step keeps its rejected records. */
export function withStep(steps: readonly Step[], writer: Writer, applied: Applied): Step[] {
  const key = stepKey(writer);
  const earlier = steps
    .filter((step) => step.key !== key)
    .slice(1 - MOST_KEPT)
    .map((step) => ({ ...step, applied: { ...step.applied, rejected: [] } }));
  const step: Step = {
    key,
    action: writer.action,
    step: writer.step,
    origin_uid: writer.originUid,
    applied: { ...applied, rejected: [...applied.rejected] },
  };
  return [...earlier, step];
}

/**
 * The counts if an earlier attempt has applied this step; else null. A rollback or sync that an earlier job of
 * the same chain of resumes has applied counts too: applying it again would keep the wrong generation.
 */
export function findDone(steps: readonly Step[], writer: Writer): Applied | null {
  const { originUid, action } = writer;
  const key = stepKey(writer);
  const own = steps.find((step) => step.key === key);
  if (own) return own.applied;
  const resumed = (step: Step | undefined): boolean =>
    step !== undefined && originUid !== null && step.origin_uid === originUid && step.action === action;
  if (action === 'rollback') return steps.find(resumed)?.applied ?? null;
  const last = steps.at(-1);
  return action === 'sync' && last?.step === writer.step && resumed(last) ? last.applied : null;
}

/** What a run was asked for that may be a rollback. */
export type RollbackGiven = {
  readonly before: string | null;
  readonly ids: readonly string[];
  readonly only: boolean;
};

/**
 * True for a rollback of everything, of the last sync or of the job that another run's interrupted one undoes: to finish
 * that one is all that it was asked for. Any other rollback, such as one to before the interrupted one, comes after it.
 *
 * @param undoes the job that the interrupted one undoes; null: unknown
 */
export function isSameRollback(
  { action }: Pick<Writer, 'action'>,
  { before, ids, only }: RollbackGiven,
  undoes: LeftBy | null,
): boolean {
  if (action !== 'rollback' || ids.length > 0 || only) return false;
  return before === null || (undoes !== null && isNamed(undoes, before));
}

export function leavingNow({ jobId, jobUid, action }: Writer): LeftBy {
  return { job_id: jobId, job_uid: jobUid, action, at: new Date().toISOString() };
}
