/**
 * Facts that programs report beside their progress, kept with the attempt; and how far each target's last job got.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Kept with the attempt, not with each report: a list of a thousand records would be stored every few seconds.
  'ALTER TABLE steps ADD COLUMN facts jsonb',
  "ALTER TABLE targets ADD COLUMN watermark timestamptz, ADD COLUMN listing text CHECK (listing IN ('complete', 'unproven'))",
];
