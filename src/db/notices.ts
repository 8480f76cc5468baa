/** Queue of notices: each stays until its workflow has it. */
import { sql } from 'kysely';
import type { Notice } from '../domain/notice.ts';
import type { Db } from './schema.ts';

const PAGE = 100;

/** Oldest first. */
export async function listOpenNotices(db: Db): Promise<Notice[]> {
  const { rows } = await sql<Omit<Notice, 'at'> & { at: Date }>`
    SELECT id::float8 AS id, event, env, target, job_id AS "jobId", schedule, loss_id AS "lossId", at FROM notices
    WHERE NOT handed_on ORDER BY id LIMIT ${PAGE}`.execute(db);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** Forgets a notice that was delivered; a missed firing stays, so that it is told only once. Safe to repeat. */
export async function handOn(db: Db, { id, schedule }: Notice): Promise<void> {
  if (schedule === null) await sql`DELETE FROM notices WHERE id = ${id}`.execute(db);
  else await sql`UPDATE notices SET handed_on = true WHERE id = ${id}`.execute(db);
}

/**
 * Queues one notice for each missed firing.
 * @param at when it should have fired
 */
export async function noticeMissed(
  db: Db,
  of: { readonly schedule: string; readonly env: string; readonly target: string; readonly at: Date },
): Promise<void> {
  await sql`
    INSERT INTO notices (event, env, target, schedule, at)
    VALUES ('freshness_missed', ${of.env}, ${of.target}, ${of.schedule}, ${of.at})
    ON CONFLICT (schedule, at) DO NOTHING`.execute(db);
}

/** Queues one notice a day for each loss of which something waits. Several workers queue no more. */
export async function noticeWaitingLosses(db: Db): Promise<void> {
  await sql`
    WITH told AS (
      UPDATE losses SET noticed_at = now()
      WHERE status = 'waiting' AND count > 0 AND noticed_at <= now() - interval '1 day' RETURNING *)
    INSERT INTO notices (event, env, target, job_id, loss_id)
    SELECT 'losses_waiting', env, target, job_id, id FROM told`.execute(db);
}
