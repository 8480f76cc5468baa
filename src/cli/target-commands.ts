/** `targets`: what can be run, when it last succeeded, what runs now. */
import type { Command } from 'commander';
import type { TargetJson } from '../client/client.ts';
import { ago } from '../client/words.ts';
import type { Context } from './context.ts';
import { type Cell, print, tableOf } from './output.ts';
import { statusCell } from './words.ts';

type ShortJob = NonNullable<TargetJson['environments'][number]['last_job']>;

export function targetCommands(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('targets [name]')
    .description('what can be run, when it last succeeded, what runs now')
    .addHelpText('after', '\nExample:\n  syncrator targets avo')
    .action(async (name: string | undefined, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } =
        name === undefined
          ? await server.call<TargetJson[]>('GET', '/targets')
          : await server.call<TargetJson>('GET', `/targets/${encodeURIComponent(name)}`);
      const heads = ['TARGET', 'ENV', 'ACTIONS', 'LAST SUCCESS', 'LAST JOB', 'NOW'];
      print(format, body, () =>
        tableOf(heads, [body].flat().flatMap(rowsOf), 'no params file declares a target'),
      );
    });
}

function rowsOf({ name, environments }: TargetJson): Cell[][] {
  return environments.map(
    ({ env, actions, last_success_at: success, active_job: active, last_job: last }) => [
      name,
      env,
      actions
        .map(({ action, schedule }) => (schedule === null ? action : `${action} (${schedule})`))
        .join(', '),
      ago(success),
      jobCell(last),
      jobCell(active),
    ],
  );
}

function jobCell(job: ShortJob | null): Cell {
  if (!job) return '';
  const cell = statusCell({ ...job, status_reason: null, phase: null, stalled: false });
  return typeof cell === 'object' ? { ...cell, text: `${job.id} ${cell.text}` } : cell;
}
