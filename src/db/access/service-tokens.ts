/** Service tokens: created, found by the id that each one contains, revoked. The database keeps hashes only. */
import { sql } from 'kysely';
import type { Grant } from '../../domain/permission.ts';
import { audit, type By } from './audit.ts';
import type { Db } from '../schema.ts';

export type TokenState = 'good' | 'expired' | 'revoked';

export type ListedToken = Grant & {
  readonly id: string;
  readonly name: string;
  readonly state: TokenState;
  readonly created_at: Date;
  readonly created_by: string;
  /** Null if the token never expires. */
  readonly expires_at: Date | null;
  /** Accurate to a minute. */
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
};

const state = sql<TokenState>`CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
  WHEN expires_at <= now() THEN 'expired' ELSE 'good' END`;
const FIELDS = [
  'id',
  'name',
  'role',
  'envs',
  'actions',
  'created_at',
  'created_by',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const;

/**
 * Keeps a token's hash under its id and a name.
 * @param of.seconds until it expires; null: it never does
 * @returns undefined when another token of that name is still in use
 */
export async function addServiceToken(
  db: Db,
  of: { id: string; hash: Buffer; name: string; grant: Grant; seconds: number | null },
  by: By,
): Promise<{ expires_at: Date | null } | undefined> {
  return await db.transaction().execute(async (tx) => {
    const { role, envs, actions } = of.grant;
    const added = await tx
      .insertInto('service_tokens')
      .values({
        id: of.id,
        name: of.name,
        hash: of.hash,
        role,
        envs,
        actions,
        created_by: by.principal,
        expires_at: sql<Date | null>`now() + make_interval(secs => ${of.seconds}::float8)`,
      })
      .onConflict((conflict) => conflict.column('name').where('revoked_at', 'is', null).doNothing())
      .returning('expires_at')
      .executeTakeFirst();
    if (!added) return undefined;
    const detail = { id: of.id, role, envs, actions, expires_at: added.expires_at };
    await audit(tx, { ...by, verb: 'create', object: `token ${of.name}`, detail });
    return added;
  });
}

/** Revokes a token. False if no unrevoked token has that name. */
export async function revokeServiceToken(db: Db, name: string, by: By): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const revoked = await tx
      .updateTable('service_tokens')
      .set({ revoked_at: sql`now()` })
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (!revoked) return false;
    await audit(tx, { ...by, verb: 'revoke', object: `token ${name}`, detail: { id: revoked.id } });
    return true;
  });
}

/** All tokens ever created, newest first. */
export async function listServiceTokens(db: Db): Promise<ListedToken[]> {
  return await db
    .selectFrom('service_tokens')
    .select([...FIELDS, state.as('state')])
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute();
}

export type FoundToken = ListedToken & { readonly hash: Buffer; readonly principal: string | null };

export async function findServiceToken(db: Db, id: string): Promise<FoundToken | undefined> {
  return await db
    .selectFrom('service_tokens')
    .select([...FIELDS, 'hash', 'principal', state.as('state')])
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Notes that a token was used just now; writes at most once a minute. */
export async function noteTokenUse(db: Db, { id, last_used_at: last }: FoundToken, now: Date): Promise<void> {
  // A time read less than a minute ago saves the statement; otherwise the row decides.
  if (last !== null && now.getTime() - last.getTime() < 60_000) return;
  await db
    .updateTable('service_tokens')
    .set({ last_used_at: sql`now()` })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([
        eb('last_used_at', 'is', null),
        eb('last_used_at', '<', sql<Date>`now() - interval '1 minute'`),
      ]),
    )
    .execute();
}
