/** Records the schedules that Temporal refuses, with the reason; and since when each running job makes no progress. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  'ALTER TABLE schedule_promises ADD COLUMN IF NOT EXISTS refused text',
  // Null in rows of the previous version: the row's own time counts instead.
  'ALTER TABLE reports ADD COLUMN IF NOT EXISTS progressed_at timestamptz',
  'ALTER TABLE jobs ADD COLUMN IF NOT EXISTS progressed_at timestamptz',
];
