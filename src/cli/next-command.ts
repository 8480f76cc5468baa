/** `next`: shows or cancels the start that is remembered until a target is free (QUEUE=one). */
import type { Command } from 'commander';
import type { NextStartJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { fieldsOf, print } from '../terminal/output.ts';

export function nextCommand(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('next <target> <env>')
    .description('show the start that waits for the running job of a target to end')
    .option('--cancel', 'cancel it')
    .addHelpText('after', '\nExample:\n  syncrator next avo qas --cancel')
    .action(async (target: string, env: string, { cancel }: { cancel?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const next = await server.call((api) =>
        cancel ? api.cancelNext(target, env) : api.showNext(target, env),
      );
      print(format, next, () => describeNext(next, cancel ? 'cancelled: it will not start' : undefined));
    });
}

function describeNext(next: NextStartJson, state?: string): string {
  return fieldsOf({
    next: `${next.action_name} of ${next.target} in ${next.env}`,
    requested: `${next.requested_at} by ${next.requested_by} (${next.trigger})`,
    behind: `job ${next.behind}`,
    parameters: `${next.action} ${next.options} (tag ${next.is_tag})`,
    ...(state === undefined ? {} : { '': { text: state, look: 'dim' } }),
  });
}
