/** Deletes what no loss shows any more, in batches: old uploads with their records, and ids of answers of long ago. */
import { type RawBuilder, sql } from 'kysely';
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
    // Until then the stories of the records name the answers.
    ...answeredIds(sql`now() - interval '90 days'`),
  ])
    deleted += Number((await statement.execute(db)).numAffectedRows ?? 0n);
  return deleted;
}

/** Statements that delete the ids which the answers to a loss named, once it has been resolved for so long. */
export function answeredIds(resolvedBefore: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return [
    sql`DELETE FROM loss_removal_ids WHERE (removal, last_id) IN (
        SELECT i.removal, i.last_id FROM losses l JOIN loss_removals r ON r.loss_id = l.id
          JOIN loss_removal_ids i ON i.removal = r.uid
        WHERE l.resolved_at < ${resolvedBefore} LIMIT ${ROWS})`,
    sql`DELETE FROM loss_keep_ids WHERE (keep, last_id) IN (
        SELECT i.keep, i.last_id FROM losses l JOIN loss_keeps k ON k.loss_id = l.id
          JOIN loss_keep_ids i ON i.keep = k.id
        WHERE l.resolved_at < ${resolvedBefore} LIMIT ${ROWS})`,
  ];
}
