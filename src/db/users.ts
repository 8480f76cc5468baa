/** Local users: names and password hashes (argon2id, PHC strings). */
import { sql } from 'kysely';
import { audit } from './audit.ts';
import type { Db } from './schema.ts';

export type User = { readonly username: string; readonly password_hash: string; readonly disabled: boolean };

export async function findUser(db: Db, username: string): Promise<User | undefined> {
  return await db
    .selectFrom('users')
    .select(['username', 'password_hash', 'disabled'])
    .where('username', '=', username)
    .executeTakeFirst();
}

/** Adds a user; false when the name is taken. */
export async function addUser(
  db: Db,
  user: { username: string; passwordHash: string },
  principal: string,
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const added = await tx
      .insertInto('users')
      .values({ username: user.username, password_hash: user.passwordHash })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (added.numInsertedOrUpdatedRows === 0n) return false;
    await audit(tx, { principal, verb: 'add', object: `user ${user.username}` });
    return true;
  });
}

/** Changes password or standing; false for an unknown name. */
export async function changeUser(
  db: Db,
  username: string,
  change: { passwordHash?: string; disabled?: boolean },
  principal: string,
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const changed = await tx
      .updateTable('users')
      .set({
        ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash }),
        ...(change.disabled === undefined ? {} : { disabled: change.disabled }),
        updated_at: sql`now()`,
      })
      .where('username', '=', username)
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n) return false;
    await audit(tx, {
      principal,
      verb: change.passwordHash === undefined ? (change.disabled ? 'disable' : 'enable') : 'passwd',
      object: `user ${username}`,
    });
    return true;
  });
}

export async function countUsers(db: Db): Promise<number> {
  const row = await db
    .selectFrom('users')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** All users by name, without their hashes. */
export async function listUsers(
  db: Db,
): Promise<{ username: string; disabled: boolean; created_at: Date; updated_at: Date }[]> {
  return await db
    .selectFrom('users')
    .select(['username', 'disabled', 'created_at', 'updated_at'])
    .orderBy('username')
    .execute();
}
