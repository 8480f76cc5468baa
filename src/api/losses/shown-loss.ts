/** Reads a loss and shows it, with the number of approvals that its params file asks for. */
import type { Context } from 'hono';
import { databaseTime } from '../../db/clock.ts';
import { type LossView, readLoss } from '../../db/losses/losses.ts';
import type { Key } from '../../domain/job.ts';
import { USUAL_APPROVALS } from '../../domain/loss.ts';
import type { ParamsFile } from '../../job-params/load.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { type LossJson, toLoss } from './loss-schema.ts';
import { noLoss } from './refusals.ts';

/** @throws Problem 404 */
export async function readView(c: Context<ApiEnv, string>, id: number): Promise<LossView> {
  const view = await readLoss(c.var.db, id);
  if (!view) throw noLoss(id);
  return view;
}

/**
 * The params file of the sync of a target. A file may have another name than its target; of several the strictest counts.
 */
export function syncFileOf({ params }: ApiDeps, { env, target }: Key): ParamsFile | undefined {
  const own = params.files.filter(
    (file) =>
      file.env === env &&
      file.target === target &&
      file.targetPattern === null &&
      file.parameters.action_name === 'sync',
  );
  const [strictest] = own.toSorted((one, other) => other.approvals - one.approvals);
  return strictest ?? params.find({ env, name: target, action: 'sync' });
}

export function shownLoss(deps: ApiDeps, view: LossView): LossJson {
  const file = syncFileOf(deps, view);
  return toLoss(view, { approvalsNeeded: file?.approvals ?? USUAL_APPROVALS, now: databaseTime(deps.db) });
}
