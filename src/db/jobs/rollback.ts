/** What going back asks of the jobs of a target: which one it goes back to before, and what has begun since. */
import { sql } from 'kysely';
import type { Db, JobsTable } from '../schema.ts';

export type Earlier = Pick<JobsTable, 'uid' | 'env' | 'target' | 'runner'>;

/** Undefined for an unknown job. */
export async function findEarlier(db: Db, id: number): Promise<Earlier | undefined> {
  return await db
    .selectFrom('jobs')
    .select(['uid', 'env', 'target', 'runner'])
    .where('id', '=', id)
    .executeTakeFirst();
}

/**
 * The newest job of the same target that has begun since this one was asked for, and may have changed the data. A job
 * that resumes this one is none, nor is a preview.
 */
export async function findBegunSince(
  db: Db,
  { id, env, target }: { id: number; env: string; target: string },
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM jobs WHERE env = ${env} AND target = ${target} AND id > ${id}
      AND coalesce(claimed_at, started_at) IS NOT NULL
      AND resumes IS DISTINCT FROM ${id} AND NOT (action = 'rollback' AND '--preview' = ANY(string_to_array(options, ' ')))
    ORDER BY id DESC LIMIT 1`.execute(db);
  return rows[0]?.id;
}
