/** Local users: names, password hashes (argon2id, PHC strings) and what they may do. */
import { sql } from 'kysely';
import type { Grant } from '../domain/grant.ts';
import { audit, type By } from './audit.ts';
import type { Db } from './schema.ts';

export type User = Grant & {
  readonly username: string;
  readonly password_hash: string;
  readonly disabled: boolean;
};

export async function findUser(db: Db, username: string): Promise<User | undefined> {
  return await db
    .selectFrom('users')
    .select(['username', 'password_hash', 'disabled', 'role', 'envs', 'actions'])
    .where('username', '=', username)
    .executeTakeFirst();
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

/** Changes password, standing or what they may do; false for an unknown name. */
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

/** No more than these: a grant may come along with other things. */
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

/** All users by name, without their hashes. */
export async function listUsers(db: Db): Promise<ListedUser[]> {
  return await db
    .selectFrom('users')
    .select(['username', 'role', 'envs', 'actions', 'disabled', 'created_at', 'updated_at'])
    .orderBy('username')
    .execute();
}
