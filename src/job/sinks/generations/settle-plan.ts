/** Drops a kept plan with every change of the state that makes it stale. Pure. */
import { settleSets } from './held-set.ts';
import type { Generation, HeldSet, Planned, Progress, Step } from './state-parts.ts';

export type PlanningState = {
  readonly generations: Readonly<Record<string, Generation>>;
  readonly load: Pick<Progress, 'id' | 'mode' | 'carried'> | null;
  readonly move: object | null;
  readonly steps: readonly Step[];
  readonly planned: Planned | null;
  readonly dropped_sets: HeldSet[];
};

/**
 * Completes a change of the state: a plan goes with whatever changes the live data, and its load goes with it. Then the
 * lists that nothing names any more are noted as such.
 *
 * @param withoutLoad the state without its load
 */
export function settleState<S extends PlanningState>(before: S, after: S, withoutLoad: (state: S) => S): S {
  const stale = after.planned !== null && after.planned === before.planned && isTouched(before, after);
  const settled = stale ? { ...after, planned: null } : after;
  const left = before.planned?.load ?? null;
  const isLeft = left !== null && settled.planned?.load !== left && after.load?.id === left;
  const goes = after.load === before.load && (isLeft || beginsChanges(before, after));
  return settleSets(before, goes ? withoutLoad(settled) : settled);
}

/** The apply of a delta takes the place of an older load, as a delta does: resumed, that would bring older records back. */
function beginsChanges(before: PlanningState, { planned, load }: PlanningState): boolean {
  return load !== null && planned !== before.planned && planned?.action === 'delta' && planned.begun;
}

/** A delta begins its load before it writes into the live data. A load of everything takes the place of a planned one. */
function isTouched<S extends PlanningState>(before: S, after: S): boolean {
  const { planned, load } = after;
  const live = planned?.live ?? '';
  return (
    after.steps !== before.steps ||
    after.move !== before.move ||
    after.generations[live] !== before.generations[live] ||
    (load !== before.load && ((planned?.load ?? null) !== null || load?.mode === 'changes'))
  );
}

/** The lists of a plan. The state notes them as dropped all the while: an earlier version, which drops the plan, deletes them. */
export function setsOf(planned: Planned | null): HeldSet[] {
  return [planned?.records, planned?.gone, planned?.held].filter((set) => set !== undefined && set !== null);
}
