/** `login`, `logout`, and `whoami`: what one may do. */
import os from 'node:os';
import type { Command } from 'commander';
import { askPassword } from '../ask-password.ts';
import type { MeJson } from '../client/client.ts';
import { limitsOf } from '../domain/grant.ts';
import type { Context } from './context.ts';
import { fieldsOf, print } from './output.ts';

export function loginCommands(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('login')
    .description('let the server know you; asks for the password, or reads it from stdin')
    .option('-u, --username <name>', 'as whom (default: your name on this machine)')
    .addHelpText(
      'after',
      '\nThe token is kept where you alone can read it, renewed while you use it,\nand good for 12 hours at most.\n\n' +
        'Example:\n  syncrator login -u admin\n  syncrator login -u admin < password-file',
    )
    .action(async (options: { username?: string }, command: Command) => {
      const { server } = contextOf(command);
      const username = options.username ?? os.userInfo().username; // not before: a container's user may have no name
      await server.login(username, await askPassword(`Password of ${username} at ${server.url}: `));
      process.stderr.write(`Logged in at ${server.url} as ${username}.\n`);
    });
  program
    .command('whoami')
    .description('who the server takes you for, and what you may do')
    .addHelpText('after', '\nExample:\n  syncrator whoami')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<MeJson>('GET', '/me');
      print(format, body, () =>
        fieldsOf({
          name: body.name,
          role: body.role,
          limits: limitsOf(body) ?? 'none',
          expires: body.expires_at,
        }),
      );
    });
  program
    .command('logout')
    .description('forget the token')
    .addHelpText('after', '\nExample:\n  syncrator logout')
    .action((_: object, command: Command) => {
      const { server } = contextOf(command);
      server.logout();
      process.stderr.write(`Logged out of ${server.url}.\n`);
    });
}
