/** Which schedules Temporal refuses, in its words; and since when each running job shows no progress. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  'ALTER TABLE schedule_promises ADD COLUMN IF NOT EXISTS refused text',
  // Null where the version before wrote the row: it counts from the row's own time.
  'ALTER TABLE reports ADD COLUMN IF NOT EXISTS progressed_at timestamptz',
  'ALTER TABLE jobs ADD COLUMN IF NOT EXISTS progressed_at timestamptz',
];
