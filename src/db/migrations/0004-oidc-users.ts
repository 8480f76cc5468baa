/** Keeps the users that presented tokens of the OIDC issuer: name and role as in their newest token. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE TABLE oidc_users (
    sub text PRIMARY KEY,
    name text,
    role text,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
  )`.execute(db);
}
