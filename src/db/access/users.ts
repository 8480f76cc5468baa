/** Local users: names, password hashes (argon2id, PHC strings) and grants. */
import { sql } from 'kysely';
import type { Grant } from '../../domain/permission.ts';
import { audit, type By } from './audit.ts';
import type { Db } from '../schema.ts';

export type User = Grant & {
  /** A user added again under the same name gets a new id. */
  readonly id: string;
  readonly username: string;
  readonly password_hash: string;
  readonly disabled: boolean;
  /**
   * Seconds since 1970, to the microsecond: earlier logins are no longer valid. Null: the password is the first.
   */
  readonly passwordChangedAt: number | null;
  /** Likewise: the user was added, disabled, or found in a restored database at this time. */
  readonly loginsEndedAt: number;
};

export async function findUser(db: Db, username: string): Promise<User | undefined> {
  return await userNamed(db, username).executeTakeFirst();
}

/**
 * Reads the user who logs in, and the time in seconds since 1970, which becomes the time of the login. The read
 * waits for a change under way, and a later change has a later time, so no login by an old password outlives its
 * change.
 */
export async function readForLogin(
  db: Db,
  username: string,
): Promise<(User & { readonly readAt: number }) | undefined> {
  return await userNamed(db, username)
    .select(sql<number>`extract(epoch FROM clock_timestamp())::float8`.as('readAt'))
    .forShare()
    .executeTakeFirst();
}

function userNamed(db: Db, username: string) {
  return db
    .selectFrom('users')
    .select(['id', 'username', 'password_hash', 'disabled', 'role', 'envs', 'actions'])
    .select([
      sql<number | null>`extract(epoch FROM password_changed_at)::float8`.as('passwordChangedAt'),
      sql<number>`extract(epoch FROM logins_ended_at)::float8`.as('loginsEndedAt'),
    ])
    .where('username', '=', username);
}

/** Adds a user; false when the name is taken. */
export async function addUser(
  db: Db,
  { username, passwordHash, grant }: { username: string; passwordHash: string; grant: Grant },
  by: By,
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const added = await tx
      .insertInto('users')
      .values({ username, password_hash: passwordHash, ...columnsOf(grant) })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (added.numInsertedOrUpdatedRows === 0n) return false;
    await audit(tx, { ...by, verb: 'add', object: `user ${username}`, detail: columnsOf(grant) });
    return true;
  });
}

export type UserChange =
  | { readonly passwordHash: string }
  | { readonly disabled: boolean }
  | { readonly grant: Grant };

/**
 * Changes the password, the standing or the grant; false for an unknown name. The first two end the user's logins:
 * a trigger of migration 0015 sees to that.
 */
export async function changeUser(db: Db, username: string, change: UserChange, by: By): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const changed = await tx
      .updateTable('users')
      .set({
        ...('passwordHash' in change ? { password_hash: change.passwordHash } : {}),
        ...('disabled' in change ? { disabled: change.disabled } : {}),
        ...('grant' in change ? columnsOf(change.grant) : {}),
        updated_at: sql`now()`,
      })
      .where('username', '=', username)
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n) return false;
    const detail = 'grant' in change ? { detail: columnsOf(change.grant) } : {};
    await audit(tx, { ...by, verb: verbOf(change), object: `user ${username}`, ...detail });
    return true;
  });
}

function verbOf(change: UserChange): string {
  if ('passwordHash' in change) return 'passwd';
  if ('grant' in change) return 'role';
  return change.disabled ? 'disable' : 'enable';
}

/** These three columns only: the caller's object may have more fields. */
function columnsOf({ role, envs, actions }: Grant): Grant {
  return { role, envs, actions };
}

export async function countUsers(db: Db): Promise<number> {
  const row = await db
    .selectFrom('users')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

export type ListedUser = Grant & {
  readonly username: string;
  readonly disabled: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
};

/** All users by name, without hashes. */
export async function listUsers(db: Db): Promise<ListedUser[]> {
  return await db
    .selectFrom('users')
    .select(['username', 'role', 'envs', 'actions', 'disabled', 'created_at', 'updated_at'])
    .orderBy('username')
    .execute();
}
