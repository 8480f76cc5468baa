/** Action plan: runs a sync, delta or delete up to the change, and tells what an apply would do. */
import type { Api } from '../losses/job-route.ts';
import { uploadPlan } from '../losses/upload-plan.ts';
import type { Plannable } from '../../domain/action.ts';
import type { ActionContext, Progress } from './action.ts';
import { deleteGone } from './delete.ts';
import { delta } from './delta.ts';
import { sync } from './sync.ts';

/** @param of.api null: the log alone tells the plan */
export async function plan(
  context: ActionContext,
  { action, api }: { action: Plannable; api: Api | null },
): Promise<void> {
  const {
    sink: { plans },
    progress,
    log,
  } = context;
  await { sync, delta, delete: deleteGone }[action]({
    ...context,
    planning: true,
    progress: (news) => progress(ofPlan(news)),
  });
  const { uid, digest } = plans.made();
  log.info(`to apply it: apply --plan ${uid} --digest ${digest}`);
  if (api !== null) {
    progress({ phase: 'telling the plan' });
    await uploadPlan(plans, api);
  }
  await plans.dropShown();
}

/** Without what only an apply sets. */
function ofPlan(news: Progress): Progress {
  const told = { ...news };
  delete told.watermark;
  delete told.listing;
  return told.phase === 'applying' ? { ...told, phase: 'planning' } : told;
}
