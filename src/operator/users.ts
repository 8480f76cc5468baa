/** Lists, adds and changes local users. Passwords come from a prompt or stdin, never from an argument. */
import { hashPassword, LEAST_PASSWORD, MOST_PASSWORD, USERNAME_PATTERN } from '../api/auth/passwords.ts';
import { askPassword } from '../terminal/ask-password.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print, tableOf } from '../terminal/output.ts';
import { addUser, changeUser, listUsers, type UserChange } from '../db/access/users.ts';
import { byCommand } from './by.ts';
import { withSchema } from './database.ts';
import { limitsText, readGrant } from './grants.ts';
import type { GrantOptions } from './options.ts';

export async function list(format: Format): Promise<void> {
  const users = await withSchema(listUsers);
  const rows = users.map((user) => [
    user.username,
    user.role,
    limitsText(user),
    user.disabled ? ({ text: 'disabled', look: 'yellow' } as const) : 'enabled',
    user.created_at.toISOString(),
  ]);
  print(format, users, () => tableOf(['USER', 'ROLE', 'LIMITS', 'STATE', 'SINCE'], rows, 'no users'));
}

/** @throws CliFailure for an invalid name, role or password, and for a name in use */
export async function add(
  name: string,
  { role, ...limits }: GrantOptions & { readonly role: string },
  reason?: string,
): Promise<void> {
  if (!USERNAME_PATTERN.test(name))
    throw new CliFailure(`invalid user name '${name}' (expected 1 to 64 of A-Z a-z 0-9 . _ @ -)`);
  const grant = readGrant(role, limits);
  await withSchema(async (db) => {
    // Asked only once the database is known to be usable.
    const passwordHash = await hashPassword(await newPassword());
    if (!(await addUser(db, { username: name, passwordHash, grant }, byCommand('users', reason))))
      throw new CliFailure(`user ${name} already exists`);
  });
  process.stderr.write(`Added ${name}, ${grant.role} (limits: ${limitsText(grant)}).\n`);
}

export async function changePassword(name: string, reason?: string): Promise<void> {
  await change(name, { passwordHash: await hashPassword(await newPassword()) }, reason);
  process.stderr.write(`Changed the password of ${name}.\n`);
}

/** Replaces role and limits together. @throws CliFailure for an invalid role or limit */
export async function changeRole(
  name: string,
  { role, ...limits }: GrantOptions & { readonly role: string },
  reason?: string,
): Promise<void> {
  const grant = readGrant(role, limits);
  await change(name, { grant }, reason);
  process.stderr.write(`${name} is now ${grant.role} (limits: ${limitsText(grant)}).\n`);
}

export async function setDisabled(name: string, disabled: boolean, reason?: string): Promise<void> {
  await change(name, { disabled }, reason);
  process.stderr.write(`${disabled ? 'Disabled' : 'Enabled'} ${name}.\n`);
}

async function change(name: string, to: UserChange, reason: string | undefined): Promise<void> {
  await withSchema(async (db) => {
    if (!(await changeUser(db, name, to, byCommand('users', reason))))
      throw new CliFailure(`no user ${name}`);
  });
}

async function newPassword(): Promise<string> {
  const password = await askPassword('New password');
  if (process.stdin.isTTY && password !== (await askPassword('The same again')))
    throw new CliFailure('the two passwords differ');
  if (password.length < LEAST_PASSWORD || password.length > MOST_PASSWORD)
    throw new CliFailure(`a password needs ${LEAST_PASSWORD} to ${MOST_PASSWORD} characters`);
  return password;
}
