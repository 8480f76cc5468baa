/** A resumed job leaves out the first steps of the one it resumes, and its checkpoints are looked for there. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE jobs ADD COLUMN skipped_steps integer NOT NULL DEFAULT 0`.execute(db);
}
