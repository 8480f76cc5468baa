/** `npm run users -- add|passwd|disable|enable|list`: local users; passwords by prompt or stdin, never by argument. */
import { Command } from 'commander';
import { hashPassword, LEAST_PASSWORD, MOST_PASSWORD, USERNAME_PATTERN } from './api/passwords.ts';
import { askPassword } from './ask-password.ts';
import { readConfig } from './config.ts';
import { connect } from './db/connect.ts';
import { migrate } from './db/migrate.ts';
import type { Db } from './db/schema.ts';
import { addUser, changeUser, listUsers } from './db/users.ts';

/** A fault to be told in one line. */
class UsageError extends Error {}

const PRINCIPAL = 'users command';

function onError(error: Error): void {
  process.stderr.write(`${error.message}\n`);
}

async function withDatabase(work: (db: Db) => Promise<void>): Promise<void> {
  const { databaseUrl } = readConfig();
  const db = connect(databaseUrl, { max: 1, applicationName: 'syncrator-users', onError });
  try {
    await migrate(db);
    await work(db);
  } finally {
    await db.destroy();
  }
}

async function newPassword(): Promise<string> {
  const password = await askPassword('Password: ');
  if (process.stdin.isTTY && password !== (await askPassword('Again: ')))
    throw new UsageError('the two passwords differ');
  if (password.length < LEAST_PASSWORD || password.length > MOST_PASSWORD)
    throw new UsageError(`a password has ${LEAST_PASSWORD} to ${MOST_PASSWORD} characters`);
  return password;
}

async function change(name: string, to: { passwordHash?: string; disabled?: boolean }): Promise<void> {
  await withDatabase(async (db) => {
    if (!(await changeUser(db, name, to, PRINCIPAL))) throw new UsageError(`there is no user ${name}`);
  });
}

const program = new Command('users').description('Local users of Syncrator.');

program
  .command('add <name>')
  .description('add a user; asks for the password, or reads it from stdin')
  .action(async (name: string) => {
    if (!USERNAME_PATTERN.test(name)) throw new UsageError(`'${name}' is not 1 to 64 of A-Z a-z 0-9 . _ @ -`);
    const passwordHash = await hashPassword(await newPassword());
    await withDatabase(async (db) => {
      if (!(await addUser(db, { username: name, passwordHash }, PRINCIPAL)))
        throw new UsageError(`there is a user ${name} already`);
    });
  });
program
  .command('passwd <name>')
  .description("change a user's password; asks for it, or reads it from stdin")
  .action(async (name: string) => change(name, { passwordHash: await hashPassword(await newPassword()) }));
program
  .command('disable <name>')
  .description('let a user no longer log in; tokens given out end within 15 minutes')
  .action((name: string) => change(name, { disabled: true }));
program
  .command('enable <name>')
  .description('let a user log in again')
  .action((name: string) => change(name, { disabled: false }));
program
  .command('list')
  .description('list users')
  .action(() =>
    withDatabase(async (db) => {
      for (const user of await listUsers(db))
        process.stdout.write(
          `${user.username}\t${user.disabled ? 'disabled' : 'enabled'}\t${user.created_at.toISOString()}\n`,
        );
    }),
  );

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`users: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
