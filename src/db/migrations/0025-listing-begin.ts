/** When a proven listing began to be read. The previous version leaves it out; then its end counts, as it did before. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE proven_listings ADD COLUMN IF NOT EXISTS read_from timestamptz`.execute(db);
  // A key may have a listing for every few minutes of 100 days, and each overview asks for the newest of each key.
  await sql`
    CREATE INDEX IF NOT EXISTS proven_listings_begin ON proven_listings (env, target, coalesce(read_from, at), at)`.execute(
    db,
  );
}
