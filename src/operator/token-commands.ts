/** `tokens`: manages the tokens with which programs and cron jobs call the api. */
import type { Command } from 'commander';
import { formatOf, reasonOf } from '../terminal/global-options.ts';
import { type CreateOptions, NEEDS_DATABASE, withLimits } from './options.ts';

export function tokenCommands(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('manage the tokens with which programs and cron jobs call the api')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens create nightly --role operator --env prd`);
  tokens
    .command('list', { isDefault: true })
    .description('list all tokens, expired and revoked ones too, with permissions and last use')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens list --output json`)
    .action(async (_: object, command: Command) => {
      const { list } = await import('./tokens.ts');
      await list(formatOf(command));
    });
  withLimits(tokens.command('create <name>'))
    .description('create a token and print it once: only its hash is stored')
    .requiredOption('--role <role>', 'viewer (reads), operator (starts and cancels) or admin')
    .option('--expires <after>', 'lifetime: 90d, 12h, or never', '90d')
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
    .description('reject a token from now on, and free its name')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator tokens revoke nightly`)
    .action(async (name: string, _: object, command: Command) => {
      await (await import('./tokens.ts')).revoke(name, reasonOf(command));
    });
}
