/**
 * Answers of keep, with the ids that each named: the story of a record tells them. The previous version knows neither
 * table; a record that it keeps meanwhile is kept, and its story lacks that answer.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE loss_keeps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loss_id integer NOT NULL REFERENCES losses ON DELETE CASCADE,
    by_name text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    until timestamptz NOT NULL
  )`,
  `CREATE INDEX loss_keeps_of_loss ON loss_keeps (loss_id)`,
  // Ids in blocks, as those of a removal: somebody may keep half a million records at once.
  `CREATE TABLE loss_keep_ids (
    keep bigint NOT NULL REFERENCES loss_keeps ON DELETE CASCADE,
    last_id text COLLATE "C" NOT NULL,
    ids text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (keep, last_id)
  )`,
  `CREATE INDEX losses_of_key ON losses (env, target)`,
];
