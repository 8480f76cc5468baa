/** Conflicts of starts: the source of a job, and the one remembered next start of a key. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Null in rows of the previous version: no limit holds them back.
  'ALTER TABLE jobs ADD COLUMN IF NOT EXISTS source_name text',
  // The primary key keeps it to one per key. `request` is the planned job, frozen like the row of a job.
  `CREATE TABLE next_starts (
    env text NOT NULL,
    target text NOT NULL,
    uid uuid NOT NULL UNIQUE,
    request jsonb NOT NULL,
    "trigger" text NOT NULL,
    requested_by text NOT NULL,
    traceparent text,
    behind integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (env, target)
  )`,
  // NOT VALID: older rows meet the narrower rule, so nothing needs to be read under the lock.
  `ALTER TABLE schedule_firings DROP CONSTRAINT IF EXISTS schedule_firings_outcome_check,
    ADD CONSTRAINT schedule_firings_outcome_check
      CHECK (outcome IN ('started', 'deduplicated', 'skipped', 'superseded', 'queued')) NOT VALID`,
];
