/** Records the last applied steps, so that none is applied twice. Pure. */
import type { Applied } from '../sink.ts';
import { stepKey, type Writer } from '../writer.ts';
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

/** A rollback of everything, which another run's interrupted one may stand for. */
export function isWholeRollback(
  { action }: Pick<Writer, 'action'>,
  { ids, only }: { readonly ids: readonly string[]; readonly only: boolean },
): boolean {
  return action === 'rollback' && ids.length === 0 && !only;
}

export function leavingNow({ jobId, jobUid, action }: Writer): LeftBy {
  return { job_id: jobId, job_uid: jobUid, action, at: new Date().toISOString() };
}
