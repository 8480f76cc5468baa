/** Whose a record of an outside run is; and what a caller calls its call, beside the name that we gave it. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // All at once and first, in the order in which they are written to: it never holds one while it waits for another.
  `LOCK TABLE sync_jobs, audit IN ACCESS EXCLUSIVE MODE`,
  // Null of our own runs, and of what a version before this one recorded: the audit says who that was.
  `ALTER TABLE sync_jobs ADD COLUMN recorded_by text`,
  `ALTER TABLE audit ADD COLUMN client_request_id text`,
];
