/** Hashes and verifies passwords of local users with argon2id, as PHC strings. */
import { hash, verify } from '@node-rs/argon2';
import { readForLogin } from '../../db/access/users.ts';
import type { Db } from '../../db/schema.ts';

export const LEAST_PASSWORD = 8;
export const MOST_PASSWORD = 1024;
export const USERNAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export async function hashPassword(password: string): Promise<string> {
  return hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
}

let decoy: Promise<string> | undefined;

/**
 * Checks a password. An unknown user takes as long as a wrong password, so that timing reveals no names.
 * @returns the time of the login in seconds since 1970; undefined for a wrong password, unknown or disabled user
 */
export async function logInWith(db: Db, username: string, password: string): Promise<number | undefined> {
  decoy ??= hashPassword('nobody has this password');
  const user = await readForLogin(db, username);
  const fits = await verify(user?.password_hash ?? (await decoy), password);
  return fits && user !== undefined && !user.disabled ? user.readAt : undefined;
}
