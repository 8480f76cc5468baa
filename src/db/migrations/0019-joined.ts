/** Wants that joined another caller's waiting job: kept until that job has begun. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The previous version knows neither column and leaves both unchanged. Hence the time beside the job: each new
  // want changes `last_at`.
  await sql`ALTER TABLE wanted ADD COLUMN joined_job integer, ADD COLUMN joined_last_at timestamptz`.execute(
    db,
  );
}
