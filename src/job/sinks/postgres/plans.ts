/** The plans of a sink: composes making, showing and applying one. */
import type { PlanSummary } from '../plans.ts';
import type { ApplyPlan, ApplyResult, Load, Plans } from '../sink.ts';
import { applyPlan } from './apply-plan.ts';
import { purgeHistory } from './history.ts';
import { planLoad, shownTable } from './make-plan.ts';
import type { Session } from './session.ts';
import { readShown } from './shown-changes.ts';
import { dropLeftovers } from './staging.ts';

export type PostgresPlans = Plans & {
  /** In place of an apply: compares and judges as that would, and keeps the plan. */
  make(load: Load, plan: ApplyPlan): Promise<ApplyResult>;
};

export function createPlans(session: () => Session): PostgresPlans {
  let kept: { readonly load: string; readonly plan: PlanSummary } | undefined;
  const made = (): NonNullable<typeof kept> => {
    if (!kept) throw new Error('no plan was made yet');
    return kept;
  };
  return {
    make: (load, plan) =>
      planLoad(session(), load, { plan, made: (summary) => (kept = { load: load.id, plan: summary }) }),
    made: () => made().plan,
    shown: () => readShown(session(), shownTable(session(), made().load)),
    dropShown: () => dropLeftovers(session()),
    async apply(plan) {
      const applied = await applyPlan(session(), plan);
      await purgeHistory(session());
      return applied;
    },
  };
}
