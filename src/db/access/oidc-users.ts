/** Keeps who came with tokens of the OIDC issuer: name and role as the newest token said them. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

export type OidcUserRow = {
  readonly sub: string;
  readonly name: string | null;
  readonly role: string | null;
};

/** Safe to repeat; it only reads while nothing is new and the last time is less than an hour ago. */
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
