/** Drops a kept plan, and a load that has not ended, with every change of the state that makes it stale. Pure. */
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
 * Completes a change of the state: a plan goes with whatever changes the live data, and its load goes with it; so does any
 * load that another job overtakes. Then the lists that nothing names any more are noted as such.
 *
 * @param withoutLoad the state without its load
 */
export function settleState<S extends PlanningState>(before: S, after: S, withoutLoad: (state: S) => S): S {
  const stale = after.planned !== null && after.planned === before.planned && isTouched(before, after);
  const settled = stale ? { ...after, planned: null } : after;
  const left = before.planned?.load ?? null;
  const isLeft = left !== null && settled.planned?.load !== left && after.load?.id === left;
  const goes = after.load === before.load && (isLeft || overtakes(before, after));
  return settleSets(before, goes ? withoutLoad(settled) : settled);
}

/**
 * Whether another job overtakes a load that has not ended. Resumed, that load would bring back what it had read before: older
 * records, or removed ones. Each step has changed the live data, and the apply of a delta writes before its step ends.
 */
function overtakes(before: PlanningState, { planned, load, steps }: PlanningState): boolean {
  if (load === null) return false;
  const beginsChanges = planned !== before.planned && planned?.action === 'delta' && planned.begun;
  return beginsChanges || steps !== before.steps;
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
