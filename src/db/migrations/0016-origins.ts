/** Records the owner of an outside run's sync job, and the caller's own name for its call beside ours. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Locks both tables at once, in the order of their writes: the migration never holds one while it waits for
  // another.
  `LOCK TABLE sync_jobs, audit IN ACCESS EXCLUSIVE MODE`,
  // Null for our own runs, and for those that the previous version recorded: the audit names their owner.
  `ALTER TABLE sync_jobs ADD COLUMN recorded_by text`,
  `ALTER TABLE audit ADD COLUMN client_request_id text`,
];
