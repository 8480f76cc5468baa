/** Removes in place what a delete has decided to remove, and lets the rest wait. */
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { withRun } from './earlier-runs.ts';
import { changeInPlace, type GenerationsState } from './in-place.ts';
import { keepCopies } from './removed-copies.ts';
import type { DecidedRemovals } from './removals.ts';
import type { RestorePlace } from './restore.ts';
import { leavingNow } from './steps.ts';

export async function applyRemovals<S extends GenerationsState>(
  { place, settled }: Pick<DecidedRemovals<S>, 'place' | 'settled'>,
  { mayRemove }: Pick<ApplyPlan, 'mayRemove'>,
): Promise<ApplyResult> {
  const withoutCopy = await keepCopies(place, [settled.gone]);
  const applied: Applied = { ...settled.difference, rejected: [], withoutCopy };
  await changeInPlace(place, {
    held: { count: settled.held.length, entries: settled.held },
    gone: settled.gone,
    listed: mayRemove,
    finish: (state) => withStepAndRun(place, state, applied),
  });
  return { kind: 'applied', applied };
}

/** The state after a delete, whose figures later runs are compared with. */
export function withStepAndRun<S extends GenerationsState>(
  { withStep, writer }: Pick<RestorePlace<S>, 'withStep' | 'writer'>,
  state: S,
  applied: Applied,
): S {
  return {
    ...withStep(state, applied),
    earlier_runs: withRun(state.earlier_runs, leavingNow(writer), applied),
  };
}
