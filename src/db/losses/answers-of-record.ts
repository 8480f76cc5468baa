/** The answers of people that named one record of a key: the keeps of it, and the approvals of its removal. */
import { type RawBuilder, sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { Db } from '../schema.ts';

/** The newest ones. */
const MOST_ANSWERS = 100;

export type AnswerOfRecord = {
  readonly kind: 'pinned' | 'approved';
  readonly at: Date;
  readonly by: string;
  readonly reason: string;
  readonly loss_id: number;
  /** Of `pinned`: until when that answer keeps it. */
  readonly until: Date | null;
  /** Of `approved`: the removal, the last one if it was resumed; null before it began, and once its job was deleted. */
  readonly job_id: number | null;
};

/**
 * Newest first. An approval that has led to no removal names the record only as long as the set is the one that was
 * approved: which records an older set had is not kept.
 * @param removals the jobs that are known to have removed it, in case the ids that they might remove are gone
 */
export async function answersOfRecord(
  db: Db,
  { env, target, id, removals }: Key & { id: string; removals: readonly number[] },
): Promise<AnswerOfRecord[]> {
  const names = (blocks: RawBuilder<unknown>) => sql`EXISTS (
    SELECT FROM (SELECT ids ${blocks} AND last_id >= ${id} ORDER BY last_id LIMIT 1) b WHERE ${id} = ANY (b.ids))`;
  const { rows } = await sql<AnswerOfRecord>`
    SELECT * FROM (
      SELECT 'pinned' AS kind, k.at, k.by_name AS by, k.reason, k.loss_id, k.until, NULL::integer AS job_id
      FROM losses l JOIN loss_keeps k ON k.loss_id = l.id
      WHERE l.env = ${env} AND l.target = ${target} AND ${names(sql`FROM loss_keep_ids WHERE keep = k.id`)}
      UNION ALL
      SELECT 'approved', a.at, a.by_name, a.reason, a.loss_id, NULL, j.newest
      FROM losses l JOIN loss_approvals a ON a.loss_id = l.id
        LEFT JOIN loss_removals r ON r.uid = a.removal CROSS JOIN LATERAL ${resumed(sql`r.job_id`)} j
      WHERE l.env = ${env} AND l.target = ${target} AND CASE WHEN r.uid IS NULL
        THEN l.status = 'waiting' AND a.digest = l.digest AND a.at >= l.changed_at
          AND EXISTS (SELECT FROM loss_records s WHERE s.upload_id = l.upload_id AND s.id = ${id})
          AND NOT EXISTS (SELECT FROM loss_pins p WHERE p.env = l.env AND p.target = l.target AND p.id = ${id})
        ELSE j.ids && ${removals}::integer[]
          OR ${names(sql`FROM loss_removal_ids WHERE removal = r.uid`)} END
    ) answers ORDER BY at DESC LIMIT ${MOST_ANSWERS}`.execute(db);
  return rows;
}

/** SQL of a job and those that resumed it: their `ids`, and the `newest`; both null without the job. */
function resumed(jobId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(
    WITH RECURSIVE chain AS (
      SELECT id FROM jobs WHERE id = ${jobId}
      UNION ALL
      SELECT later.id FROM jobs later JOIN chain ON later.resumes = chain.id)
    SELECT array_agg(id) AS ids, max(id) AS newest FROM chain)`;
}
