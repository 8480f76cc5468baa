/** Reads a plan for a request. */
import type { Context } from 'hono';
import { type PlanView, readPlan } from '../../db/plans/plans.ts';
import type { ApiEnv } from '../context.ts';
import { noPlan } from './refusals.ts';

/** @throws Problem 404 */
export async function readPlanOf(c: Context<ApiEnv, string>, id: number): Promise<PlanView> {
  const view = await readPlan(c.var.db, id);
  if (!view) throw noPlan(id);
  return view;
}
