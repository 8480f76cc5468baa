/** Looks for the run in another env that PROMOTE_FROM asks for. */
import { sql } from 'kysely';
import type { JobRequest } from '../../domain/job.ts';
import { areSameSteps, type NotPromoted } from '../../domain/promotion.ts';
import type { JobRow, Tx } from '../schema.ts';

/** Undefined if the start is promoted, or needs no promotion. */
export async function findMissingPromotion(tx: Tx, request: JobRequest): Promise<NotPromoted | undefined> {
  const { env, target, promotion, parameters } = request;
  if (!promotion) return undefined;
  const { from, withinSeconds, steps } = promotion;
  // Jobs with the same steps have the same hash. A row's last change is no earlier than its end, and has an index.
  const { rows } = await sql<Pick<JobRow, 'id' | 'steps_spec'>>`
    SELECT id, steps_spec FROM jobs WHERE id IN (
      SELECT max(id) FROM jobs
      WHERE env = ${from} AND target = ${target} AND action = ${parameters.action} AND status = 'completed'
        AND finished_at >= now() - make_interval(secs => ${withinSeconds})
        AND updated_at >= now() - make_interval(secs => ${withinSeconds})
      GROUP BY spec_hash)
    ORDER BY id DESC`.execute(tx);
  if (rows.some(({ steps_spec }) => areSameSteps(steps_spec, steps))) return undefined;
  return { env, target, action: parameters.action_name, from, withinSeconds, other: rows[0]?.id ?? null };
}
