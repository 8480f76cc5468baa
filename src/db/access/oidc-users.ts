/** Keeps the users that presented tokens of the OIDC issuer: name and role as in their newest token. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

export type OidcUserRow = {
  readonly sub: string;
  readonly name: string | null;
  readonly role: string | null;
};

/** Safe to repeat. Writes only if something changed or the last write is an hour old. */
export async function noteOidcUser(db: Db, user: OidcUserRow): Promise<void> {
  const known = await db
    .selectFrom('oidc_users')
    .select(['name', 'role', sql<boolean>`last_seen_at > now() - interval '1 hour'`.as('is_fresh')])
    .where('sub', '=', user.sub)
    .executeTakeFirst();
  if (known?.is_fresh === true && known.name === user.name && known.role === user.role) return;
  await db
    .insertInto('oidc_users')
    .values(user)
    .onConflict((conflict) =>
      conflict.column('sub').doUpdateSet({ name: user.name, role: user.role, last_seen_at: sql`now()` }),
    )
    .execute();
}
