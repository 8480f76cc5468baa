/** Erases the contents of records from every set of held records that is stored, and their stories. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { eraseStories } from '../jobs/stories.ts';
import type { Db } from '../schema.ts';

/** Ids and times stay, so that a set that waits keeps its digest. Safe to repeat. */
export async function forgetContents(
  db: Db,
  { env, target, ids }: Key & { ids: readonly string[] },
): Promise<void> {
  await sql`
    UPDATE loss_records SET record = NULL
    WHERE id = ANY (${ids}::text[]) AND record IS NOT NULL AND upload_id IN (
      SELECT upload_id FROM losses WHERE env = ${env} AND target = ${target}
      UNION SELECT u.id FROM loss_uploads u JOIN jobs j ON j.id = u.job_id WHERE j.env = ${env} AND j.target = ${target})`.execute(
    db,
  );
  await eraseStories(db, { env, target, ids });
}
