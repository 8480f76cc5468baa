/** `login`, `logout`, and `whoami`, which shows the permissions of the token. */
import os from 'node:os';
import type { Command } from 'commander';
import { askPassword } from '../terminal/ask-password.ts';
import { limitsOf } from '../domain/permission.ts';
import type { Context } from './context.ts';
import { fieldsOf, print } from '../terminal/output.ts';

export function loginCommands(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('login')
    .description('log in; asks for the password, or reads it from stdin')
    .option('-u, --username <name>', 'user name (default: your name on this machine)')
    .addHelpText(
      'after',
      '\nThe token is stored readable for you only. It is renewed while you use it,\nand expires after 12 hours at the latest.\n\n' +
        'Example:\n  syncrator login -u admin\n  syncrator login -u admin < password-file',
    )
    .action(async (options: { username?: string }, command: Command) => {
      const { server } = contextOf(command);
      const username = options.username ?? os.userInfo().username; // read only if needed: a container's user may have no name
      await server.login(username, await askPassword(`Password of ${username} at ${server.url}`));
      process.stderr.write(`Logged in at ${server.url} as ${username}.\n`);
    });
  program
    .command('whoami')
    .description('show your user name and your permissions')
    .addHelpText('after', '\nExample:\n  syncrator whoami')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const me = await server.call((api) => api.me());
      print(format, me, () =>
        fieldsOf({
          name: me.name,
          role: me.role,
          limits: limitsOf(me) ?? 'none',
          expires: me.expires_at,
        }),
      );
    });
  program
    .command('logout')
    .description('log out: delete the stored token')
    .addHelpText('after', '\nExample:\n  syncrator logout')
    .action((_: object, command: Command) => {
      const { server } = contextOf(command);
      server.logout();
      process.stderr.write(`Logged out of ${server.url}.\n`);
    });
}
