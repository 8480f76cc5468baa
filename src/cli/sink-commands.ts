/** `sink`: changes which installation owns the data that a target writes. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
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
      if (options.yes !== true) await confirm(`${target} in ${env}`);
      await start(context, options, (api) => api.takeOver(target, env));
    });
}

/** @throws CliFailure for any answer but yes, and without a terminal */
async function confirm(what: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliFailure('no terminal to ask for confirmation: use --yes');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort());
  const question = `Take over the sink of ${what}? No rollback can go back to before that. [y/N] `;
  const answer = await asking.question(question, { signal: gone.signal }).catch(() => undefined);
  asking.close();
  if (answer === undefined) throw new CliFailure('cancelled: nothing was changed', EXIT.interrupted);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliFailure('cancelled: nothing was changed');
}
