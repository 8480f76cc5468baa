/** Records the last applied steps, so that none is applied twice. Pure. */
import { type Applied, NOTHING_APPLIED } from '../sink.ts';
import { stepKey, type Writer } from '../writer.ts';
import type { LeftBy, State, Step } from './state.ts';

/** A job is retried before the next job of its target begins, so few steps suffice. */
const MOST_KEPT = 10;

/** The state's steps with this step added. Only the newest step keeps its rejected records. */
export function withStep(
  state: State,
  writer: Writer,
  applied: Applied,
): Pick<State, 'steps' | 'rolled_back_by'> {
  const key = stepKey(writer);
  const earlier = state.steps
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
  // Job numbers from version 0.1.0 may recur, so its marker is cleared.
  return { steps: [...earlier, step], rolled_back_by: null };
}

/**
 * The counts if an earlier attempt has applied this step; else null. A rollback or sync that an earlier job of
 * the same chain of resumes has applied counts too: applying it again would keep the wrong generation.
 */
export function findDone(state: State, writer: Writer): Applied | null {
  const { jobId, originUid, action } = writer;
  const key = stepKey(writer);
  const own = state.steps.find((step) => step.key === key);
  if (own) return own.applied;
  if (action === 'rollback' && jobId !== null && state.rolled_back_by === jobId) return NOTHING_APPLIED;
  const resumed = (step: Step | undefined): boolean =>
    step !== undefined && originUid !== null && step.origin_uid === originUid && step.action === action;
  if (action === 'rollback') return state.steps.find(resumed)?.applied ?? null;
  const last = state.steps.at(-1);
  return action === 'sync' && last?.step === writer.step && resumed(last) ? last.applied : null;
}

export function leavingNow({ jobId, jobUid, action }: Writer): LeftBy {
  return { job_id: jobId, job_uid: jobUid, action, at: new Date().toISOString() };
}
