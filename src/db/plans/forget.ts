/** Erases the contents of records from every plan that is stored. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { PLAN_KINDS } from '../../domain/change-plan.ts';
import type { Db } from '../schema.ts';

/** Ids and kinds stay, so that a plan shows as many records as before. Safe to repeat. */
export async function forgetInPlans(
  db: Db,
  { env, target, ids }: Key & { ids: readonly string[] },
): Promise<void> {
  const kinds = PLAN_KINDS.map((_, at) => at);
  // Each kind by name, as the index has it before the id.
  await sql`
    UPDATE plan_records SET before = NULL, after = NULL
    WHERE kind = ANY (${kinds}::smallint[]) AND id = ANY (${ids}::text[])
      AND (before IS NOT NULL OR after IS NOT NULL) AND upload_id IN (
      SELECT upload_id FROM plans WHERE env = ${env} AND target = ${target} AND upload_id IS NOT NULL
      UNION SELECT u.id FROM plan_uploads u JOIN jobs j ON j.id = u.job_id WHERE j.env = ${env} AND j.target = ${target})`.execute(
    db,
  );
}
