/** `sink`: changes which installation owns the data that a target writes. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { confirm } from '../terminal/confirm.ts';
import { start, starting, type StartOptions } from './start.ts';

type TakeOverOptions = StartOptions & { yes?: true };

export function sinkCommands(program: Command, contextOf: (command: Command) => Context): void {
  const sink = program
    .command('sink')
    .description('take over the data that a target writes')
    .addHelpText('after', '\nExample:\n  syncrator sink take-over avo qas');
  starting(sink, 'take-over', 'own the data that another installation, target or environment wrote')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      `
For a job that failed with sink_owned or sink_replaced. The records stay as they are, but no later
rollback can go back to before the take-over. Stop the other writer first.

Example:
  syncrator sink take-over avo qas --reason 'dev moved to this server'`,
    )
    .action(async (target: string, env: string, options: TakeOverOptions, command: Command) => {
      const context = contextOf(command);
      if (options.yes !== true)
        await confirm(
          `Take over the sink of ${target} in ${env}? No rollback can go back to before that.`,
          '--yes',
        );
      await start(context, options, (api) => api.takeOver(target, env));
    });
}
