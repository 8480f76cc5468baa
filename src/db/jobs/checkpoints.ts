/**
 * Finds where an attempt continues: the newest checkpoint of its step, in its own job or in the one that its job
 * resumes.
 */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Undefined if there is none. A job that resumes another counts its steps without the skipped ones. */
export async function readCheckpoint(db: Db, jobId: number, step: number): Promise<unknown> {
  const { rows } = await sql<{ checkpoint: unknown }>`
    WITH RECURSIVE line AS (
      SELECT id, resumes, skipped_steps, ${step}::integer AS step, 0 AS back FROM jobs WHERE id = ${jobId}
      UNION ALL
      SELECT j.id, j.resumes, j.skipped_steps, line.step + line.skipped_steps, line.back + 1
      FROM line JOIN jobs j ON j.id = line.resumes
    )
    SELECT r.checkpoint FROM line JOIN reports r ON r.job_id = line.id AND r.step = line.step
    WHERE r.checkpoint IS NOT NULL
    ORDER BY line.back, r.attempt DESC, r.seq DESC LIMIT 1`.execute(db);
  return rows[0]?.checkpoint ?? undefined;
}
