/** Remembers which schedules are paused, for a Temporal that was wiped or is new beside a restored database. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE TABLE schedule_pauses (schedule text PRIMARY KEY, note text NOT NULL)`.execute(db);
}
