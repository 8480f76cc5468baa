/** The applied steps of an alias, also of version 0.1.0, which stored the job of the last rollback alone. Pure. */
import { findDone } from '../generations/steps.ts';
import * as steps from '../generations/steps.ts';
import { type Applied, NOTHING_APPLIED } from '../sink.ts';
import type { Writer } from '../writer.ts';
import type { State } from './state.ts';

export function withStep(
  state: State,
  writer: Writer,
  applied: Applied,
): Pick<State, 'steps' | 'rolled_back_by'> {
  // Job numbers from version 0.1.0 may recur, so its marker is cleared.
  return { steps: steps.withStep(state.steps, writer, applied), rolled_back_by: null };
}

/** The counts if an earlier attempt has applied this step; else null. */
export function findApplied(state: State, writer: Writer): Applied | null {
  const { jobId, action } = writer;
  const done = findDone(state.steps, writer);
  if (done) return done;
  return action === 'rollback' && jobId !== null && state.rolled_back_by === jobId ? NOTHING_APPLIED : null;
}
