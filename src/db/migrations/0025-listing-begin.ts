/** When a proven listing began to be read. The previous version leaves it out; then its end counts, as it did before. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE proven_listings ADD COLUMN IF NOT EXISTS read_from timestamptz`.execute(db);
}
