/** Looks for the run in another env that PROMOTE_FROM asks for. */
import { sql } from 'kysely';
import { APPLY, planName } from '../../domain/action.ts';
import type { JobRequest } from '../../domain/job.ts';
import { areSameSteps, asPlanned, type NotPromoted } from '../../domain/promotion.ts';
import type { JobRow, Tx } from '../schema.ts';

/** Undefined if the start is promoted, or needs no promotion. A plan that was applied counts as its action. */
export async function findMissingPromotion(tx: Tx, request: JobRequest): Promise<NotPromoted | undefined> {
  const { env, target, promotion } = request;
  if (!promotion) return undefined;
  const { from, withinSeconds, steps, action_name: name, action } = promotion;
  // Jobs with the same steps have the same hash. A row's last change is no earlier than its end, and has an index.
  const { rows } = await sql<Pick<JobRow, 'id' | 'action' | 'steps_spec'>>`
    SELECT id, action, steps_spec FROM jobs WHERE id IN (
      SELECT max(id) FROM jobs
      WHERE env = ${from} AND target = ${target} AND status = 'completed'
        AND (action = ${action} OR (action = ${APPLY} AND action_name = ${planName(APPLY, name)}))
        AND finished_at >= now() - make_interval(secs => ${withinSeconds})
        AND updated_at >= now() - make_interval(secs => ${withinSeconds})
      GROUP BY spec_hash)
    ORDER BY id DESC`.execute(tx);
  const isSame = (row: (typeof rows)[number]) =>
    areSameSteps(row.action === action ? row.steps_spec : asPlanned(row.steps_spec, action), steps);
  if (rows.some(isSame)) return undefined;
  return { env, target, action: name, from, withinSeconds, other: rows[0]?.id ?? null };
}
