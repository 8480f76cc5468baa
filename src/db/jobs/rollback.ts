/**
 * Finds what a rollback needs to know of a target's jobs: the job it goes back to before, and any that began since.
 */
import { sql } from 'kysely';
import type { Db, JobsTable } from '../schema.ts';
import { ONLY_LOOKS } from '../status-sql.ts';

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
 * The newest job of the same target that has begun since this one was requested, and may have changed the data.
 * Jobs that resume this one do not count, nor do previews, stories and plans.
 */
export async function findBegunSince(
  db: Db,
  { id, env, target }: { id: number; env: string; target: string },
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM jobs WHERE env = ${env} AND target = ${target} AND id > ${id}
      AND coalesce(claimed_at, started_at) IS NOT NULL
      AND resumes IS DISTINCT FROM ${id} AND NOT ${ONLY_LOOKS}
      AND NOT (action = 'plan' AND '--of' = ANY(string_to_array(options, ' ')))
    ORDER BY id DESC LIMIT 1`.execute(db);
  return rows[0]?.id;
}
