/** `tokens`: programs and cron jobs that call the api, each with a token of its own. */
import type { Command } from 'commander';
import { formatOf, reasonOf } from '../cli/context.ts';
import { type GrantOptions, NEEDS_DATABASE, withLimits } from './options.ts';

export function tokenCommands(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('tokens with which programs and cron jobs call the api')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens create nightly --role operator --env prd`);
  tokens
    .command('list', { isDefault: true })
    .description('all tokens there ever were: what they may do, until when, when last used, made by whom')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens list --output json`)
    .action(async (_: object, command: Command) => {
      const { list } = await import('./tokens.ts');
      await list(formatOf(command));
    });
  withLimits(tokens.command('create <name>'))
    .description('make a token and print it, this once: only its hash is kept')
    .requiredOption('--role <role>', 'viewer (looks), operator (starts and cancels) or admin')
    .option('--expires <after>', 'such as 90d, 12h, or never', '90d')
    .addHelpText(
      'after',
      `${NEEDS_DATABASE}syncrator tokens create nightly --role operator --env prd --action delta --expires 90d`,
    )
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { create } = await import('./tokens.ts');
      await create(formatOf(command), name, options, reasonOf(command));
    });
  tokens
    .command('revoke <name>')
    .description('refuse a token from now on; its name is free again')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens revoke nightly`)
    .action(async (name: string, _: object, command: Command) => {
      await (await import('./tokens.ts')).revoke(name, reasonOf(command));
    });
}

/** As commander has them. */
export type CreateOptions = GrantOptions & { readonly role: string; readonly expires: string };
