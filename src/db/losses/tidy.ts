/** Deletes what no loss shows any more, in batches: old uploads with their records, and ids of past removals. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

const ROWS = 1_000;

/** An upload that is no set of a loss: it was replaced, given up, or has been unfinished for a day. */
const isDead = sql`
  NOT EXISTS (SELECT FROM losses l WHERE l.upload_id = u.id)
  AND (u.abandoned OR u.complete OR u.at < now() - interval '1 day')`;

/** @returns how many rows; 0 when none are left */
export async function tidyLosses(db: Db): Promise<number> {
  let deleted = 0;
  for (const statement of [
    // From upload to upload by the index, past the many records of the sets that wait.
    sql`DELETE FROM loss_records WHERE (upload_id, id) IN (
        SELECT r.upload_id, r.id FROM loss_uploads u
          CROSS JOIN LATERAL (SELECT upload_id, id FROM loss_records WHERE upload_id = u.id LIMIT ${ROWS}) AS r
        WHERE ${isDead} LIMIT ${ROWS})`,
    sql`DELETE FROM loss_uploads u WHERE ${isDead}
        AND NOT EXISTS (SELECT FROM loss_records r WHERE r.upload_id = u.id)`,
    // A day later no attempt of the removal asks for them.
    sql`DELETE FROM loss_removal_ids WHERE (removal, last_id) IN (
        SELECT i.removal, i.last_id FROM losses l JOIN loss_removals r ON r.loss_id = l.id
          JOIN loss_removal_ids i ON i.removal = r.uid
        WHERE l.resolved_at < now() - interval '1 day' LIMIT ${ROWS})`,
  ])
    deleted += Number((await statement.execute(db)).numAffectedRows ?? 0n);
  return deleted;
}
