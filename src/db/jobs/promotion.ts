/** Looks for the run in another env that PROMOTE_FROM asks for. */
import { sql } from 'kysely';
import { APPLY, plannedName } from '../../domain/action.ts';
import type { JobRequest } from '../../domain/job.ts';
import { areSameSteps, asPlanned, type NotPromoted } from '../../domain/promotion.ts';
import { PLAN_IN_OPTIONS } from '../plans/plans.ts';
import type { JobRow, Tx } from '../schema.ts';

/** Undefined if the start is promoted, or needs no promotion. A job that applied a plan of the action counts like the action. */
export async function findMissingPromotion(tx: Tx, request: JobRequest): Promise<NotPromoted | undefined> {
  const { env, target, promotion, parameters } = request;
  if (!promotion) return undefined;
  const { from, withinSeconds, steps, action = parameters.action } = promotion;
  // Jobs with the same steps have the same hash. A row's last change is no earlier than its end, and has an index.
  const { rows } = await sql<Pick<JobRow, 'id' | 'steps_spec'>>`
    SELECT id, steps_spec FROM jobs WHERE id IN (
      SELECT max(id) FROM jobs
      WHERE env = ${from} AND target = ${target} AND status = 'completed'
        AND (action = ${action} OR (action = ${APPLY} AND ${PLAN_IN_OPTIONS} IN (
          SELECT j.uid FROM plans p JOIN jobs j ON j.id = p.job_id
          WHERE p.env = ${from} AND p.target = ${target} AND p.action = ${action})))
        AND finished_at >= now() - make_interval(secs => ${withinSeconds})
        AND updated_at >= now() - make_interval(secs => ${withinSeconds})
      GROUP BY spec_hash)
    ORDER BY id DESC`.execute(tx);
  if (rows.some(({ steps_spec }) => areSameSteps(asPlanned(steps_spec, action), steps))) return undefined;
  const name = plannedName(parameters) ?? parameters.action_name;
  return { env, target, action: name, from, withinSeconds, other: rows[0]?.id ?? null };
}
