/** Reads a loss and shows it, with the number of approvals that its params file asks for. */
import type { Context } from 'hono';
import { databaseTime } from '../../db/clock.ts';
import { type LossView, readLoss } from '../../db/losses/losses.ts';
import { USUAL_APPROVALS } from '../../domain/loss.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { type LossJson, toLoss } from './loss-schema.ts';
import { noLoss } from './refusals.ts';

/** @throws Problem 404 */
export async function readView(c: Context<ApiEnv, string>, id: number): Promise<LossView> {
  const view = await readLoss(c.var.db, id);
  if (!view) throw noLoss(id);
  return view;
}

export function shownLoss(deps: ApiDeps, view: LossView): LossJson {
  const { env, target } = view;
  const file = deps.params.find({ env, name: target, action: 'sync' });
  return toLoss(view, { approvalsNeeded: file?.approvals ?? USUAL_APPROVALS, now: databaseTime(deps.db) });
}
