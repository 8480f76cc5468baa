/** Local users: listed, added, changed; passwords by prompt or stdin, never by argument. */
import { hashPassword, LEAST_PASSWORD, MOST_PASSWORD, USERNAME_PATTERN } from '../api/passwords.ts';
import { askPassword } from '../ask-password.ts';
import { CliFailure } from '../cli/failure.ts';
import { type Format, print, tableOf } from '../cli/output.ts';
import { migrate } from '../db/migrate.ts';
import { addUser, changeUser, listUsers } from '../db/users.ts';
import { withDatabase } from './database.ts';

/** Who did it, in the audit table. */
const PRINCIPAL = 'users command';

export async function list(format: Format): Promise<void> {
  const users = await withDatabase(async (db) => {
    await migrate(db);
    return await listUsers(db);
  });
  const rows = users.map(({ username, disabled, created_at: since }) => [
    username,
    disabled ? ({ text: 'disabled', look: 'yellow' } as const) : 'enabled',
    since.toISOString(),
  ]);
  print(format, users, () => tableOf(['USER', 'STATE', 'SINCE'], rows, 'there is no user yet'));
}

/** @throws CliFailure for a name or password that will not do, or that is taken */
export async function add(name: string): Promise<void> {
  if (!USERNAME_PATTERN.test(name)) throw new CliFailure(`'${name}' is not 1 to 64 of A-Z a-z 0-9 . _ @ -`);
  const passwordHash = await hashPassword(await newPassword());
  await withDatabase(async (db) => {
    await migrate(db);
    if (!(await addUser(db, { username: name, passwordHash }, PRINCIPAL)))
      throw new CliFailure(`there is a user ${name} already`);
  });
  process.stderr.write(`Added ${name}.\n`);
}

export async function changePassword(name: string): Promise<void> {
  await change(name, { passwordHash: await hashPassword(await newPassword()) });
  process.stderr.write(`Changed the password of ${name}.\n`);
}

export async function setDisabled(name: string, disabled: boolean): Promise<void> {
  await change(name, { disabled });
  process.stderr.write(`${disabled ? 'Disabled' : 'Enabled'} ${name}.\n`);
}

async function change(name: string, to: { passwordHash?: string; disabled?: boolean }): Promise<void> {
  await withDatabase(async (db) => {
    await migrate(db);
    if (!(await changeUser(db, name, to, PRINCIPAL))) throw new CliFailure(`there is no user ${name}`);
  });
}

async function newPassword(): Promise<string> {
  const password = await askPassword('Password: ');
  if (process.stdin.isTTY && password !== (await askPassword('Again: ')))
    throw new CliFailure('the two passwords differ');
  if (password.length < LEAST_PASSWORD || password.length > MOST_PASSWORD)
    throw new CliFailure(`a password has ${LEAST_PASSWORD} to ${MOST_PASSWORD} characters`);
  return password;
}
