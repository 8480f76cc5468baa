/** Debounced starts: targets that a hook reports as changed become one job when their key is free. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE wanted (
    env text NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    requested_by text NOT NULL,
    everything boolean NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (env, target, action)
  )`,
  `CREATE TABLE wanted_items (
    env text NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (env, target, action, item),
    FOREIGN KEY (env, target, action) REFERENCES wanted ON DELETE CASCADE
  )`,
  // No code ever wrote this column: it could not say which action or which items are wanted.
  'ALTER TABLE targets DROP COLUMN wanted_at',
];
