/** `users`: manages who may log in with a password, and their permissions. */
import type { Command } from 'commander';
import { formatOf, reasonOf } from '../terminal/global-options.ts';
import { type GrantOptions, NEEDS_DATABASE, withLimits } from './options.ts';

export function userCommands(program: Command): void {
  const users = program
    .command('users')
    .description('manage who may log in with a password')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator users add ada --role operator`);
  users
    .command('list', { isDefault: true })
    .description('list all users')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator users list --output json`)
    .action(async (_: object, command: Command) => {
      const { list } = await import('./users.ts');
      await list(formatOf(command));
    });
  withLimits(users.command('add <name>'))
    .description('add a user; asks for the password, or reads it from stdin')
    .requiredOption('--role <role>', 'viewer (reads), operator (starts and cancels) or admin')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator users add ada --role operator --env qas`)
    .action(async (name: string, options: GrantOptions & { role: string }, command: Command) => {
      await (await import('./users.ts')).add(name, options, reasonOf(command));
    });
  withLimits(users.command('role <name> <role>'))
    .description('change the role and the limits of a user, from the next call on')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator users role ada operator --env qas --action delta`)
    .action(async (name: string, role: string, options: GrantOptions, command: Command) => {
      await (await import('./users.ts')).changeRole(name, { ...options, role }, reasonOf(command));
    });
  users
    .command('passwd <name>')
    .description("change a user's password; asks for it, or reads it from stdin")
    .addHelpText('after', `${NEEDS_DATABASE}syncrator users passwd ada`)
    .action(async (name: string, _: object, command: Command) => {
      await (await import('./users.ts')).changePassword(name, reasonOf(command));
    });
  for (const [verb, disabled, what] of [
    ['disable', true, 'lock a user out; their tokens end at once'],
    ['enable', false, 'let a disabled user log in again'],
  ] as const)
    users
      .command(`${verb} <name>`)
      .description(what)
      .addHelpText('after', `${NEEDS_DATABASE}syncrator users ${verb} ada`)
      .action(async (name: string, _: object, command: Command) => {
        await (await import('./users.ts')).setDisabled(name, disabled, reasonOf(command));
      });
}
