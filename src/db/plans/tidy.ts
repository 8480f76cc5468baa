/** Deletes the records that no plan shows any more, in batches. A plan itself goes with its job. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';
import { PLAN_TIME } from './plans.ts';

const ROWS = 1_000;

/** An upload that belongs to no plan that can still be applied: replaced, given up, expired, or unfinished for a day. */
const isDead = sql`
  NOT EXISTS (SELECT FROM plans p WHERE p.upload_id = u.id AND p.born_at + ${PLAN_TIME} > now())
  AND (u.abandoned OR u.complete OR u.at < now() - interval '1 day')`;

/** @returns how many rows; 0 when none are left */
export async function tidyPlans(db: Db): Promise<number> {
  let deleted = 0;
  for (const statement of [
    sql`DELETE FROM plan_records WHERE (upload_id, kind, id) IN (
        SELECT r.upload_id, r.kind, r.id FROM plan_uploads u
          CROSS JOIN LATERAL (SELECT upload_id, kind, id FROM plan_records WHERE upload_id = u.id LIMIT ${ROWS}) AS r
        WHERE ${isDead} LIMIT ${ROWS})`,
    sql`DELETE FROM plan_uploads u WHERE ${isDead}
        AND NOT EXISTS (SELECT FROM plan_records r WHERE r.upload_id = u.id)`,
  ])
    deleted += Number((await statement.execute(db)).numAffectedRows ?? 0n);
  return deleted;
}
