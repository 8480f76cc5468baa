/** Passwords of local users: argon2id, as PHC strings. */
import { hash, verify } from '@node-rs/argon2';
import { findUser } from '../db/users.ts';
import type { Db } from '../db/schema.ts';

export const LEAST_PASSWORD = 8;
export const MOST_PASSWORD = 1024;
export const USERNAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export async function hashPassword(password: string): Promise<string> {
  return hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
}

let decoy: Promise<string> | undefined;

/** Whether it is the password of a user who may log in; takes as long when there is no such user. */
export async function passwordFits(db: Db, username: string, password: string): Promise<boolean> {
  decoy ??= hashPassword('nobody has this password');
  const user = await findUser(db, username);
  const fits = await verify(user?.password_hash ?? (await decoy), password);
  return fits && user !== undefined && !user.disabled;
}
