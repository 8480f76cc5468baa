/** What is wanted and a waiting job of somebody else will do: kept until that job has begun. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The version before knows neither, and leaves both as they are: hence the time beside the job, which each want changes.
  await sql`ALTER TABLE wanted ADD COLUMN joined_job integer, ADD COLUMN joined_last_at timestamptz`.execute(
    db,
  );
}
