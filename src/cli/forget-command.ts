/** `forget`: erases the earlier values of records from the history of a target. */
import type { Command } from 'commander';
import { confirm } from '../terminal/confirm.ts';
import type { Context } from './context.ts';
import { start, starting, type StartOptions } from './start.ts';

type ForgetOptions = StartOptions & { yes?: true };

export function forgetCommand(program: Command, contextOf: (command: Command) => Context): void {
  starting(program, 'forget', 'erase the earlier values of records for good')
    .argument('<records...>', 'ids of the records')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      `
For those whom the law entitles to it. Erases the values that rollbacks could bring back, records
set aside, and the contents shown with losses. A live record stays: remove it at the source, run a
job, then forget it. For admins; one with limited actions needs forget among them.

Example:
  syncrator forget members prd k00042 --reason 'request of 28 November'`,
    )
    .action(
      async (target: string, env: string, records: string[], options: ForgetOptions, command: Command) => {
        const context = contextOf(command);
        if (options.yes !== true) {
          const those = records.length === 1 ? 'a record' : `${records.length} records`;
          await confirm(
            `Erase the earlier values of ${those} of ${target} in ${env}? No rollback brings them back.`,
            '--yes',
          );
        }
        await start(context, options, (api) => api.forget(target, env, records));
      },
    );
}
