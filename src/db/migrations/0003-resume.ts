/** Lets a job resume another: it leaves out that job's first steps and uses its checkpoints. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE jobs ADD COLUMN skipped_steps integer NOT NULL DEFAULT 0`.execute(db);
}
