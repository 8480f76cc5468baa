/** `targets`: lists targets, their last success and their active job. */
import type { Command } from 'commander';
import type { NextStartJson, TargetJson } from '../client/client.ts';
import { LISTING_WORDS } from '../client/data-format.ts';
import { ago } from '../client/format.ts';
import type { Context } from './context.ts';
import { type Cell, print, tableOf } from '../terminal/output.ts';
import { statusCell } from './job-cells.ts';

type ShortJob = NonNullable<TargetJson['environments'][number]['last_job']>;

export function targetCommands(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('targets [name]')
    .description('list what can run, when it last succeeded, and what runs now')
    .addHelpText('after', '\nExample:\n  syncrator targets avo')
    .action(async (name: string | undefined, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const found = await server.call<TargetJson | TargetJson[]>((api) =>
        name === undefined ? api.listTargets() : api.showTarget(name),
      );
      const heads = ['TARGET', 'ENV', 'ACTIONS', 'LAST SUCCESS', 'REMOVALS AS OF', 'LAST JOB', 'NOW'];
      print(format, found, () =>
        tableOf(heads, [found].flat().flatMap(rowsOf), 'no params file declares a target'),
      );
    });
}

function rowsOf({ name, environments }: TargetJson): Cell[][] {
  return environments.map(
    ({
      env,
      actions,
      last_success_at: success,
      removals_fresh_at: removals,
      listing,
      active_job: active,
      last_job: last,
      next_start: next,
    }) => [
      name,
      env,
      actions
        .map(({ action, schedule }) => (schedule === null ? action : `${action} (${schedule})`))
        .join(', '),
      listing === 'unproven'
        ? { text: `${ago(success)}, ${LISTING_WORDS.unproven}`, look: 'yellow' }
        : ago(success),
      removals === null ? '' : ago(removals),
      jobCell(last),
      nowCell(active, next),
    ],
  );
}

function nowCell(active: ShortJob | null, next: NextStartJson | null): Cell {
  const cell = jobCell(active);
  if (!next) return cell;
  const then = `then ${next.action_name}`;
  if (typeof cell === 'object') return { ...cell, text: `${cell.text}, ${then}` };
  return cell === '' ? then : `${cell}, ${then}`;
}

function jobCell(job: ShortJob | null): Cell {
  if (!job) return '';
  const cell = statusCell({ ...job, status_reason: null, phase: null, stalled: false });
  return typeof cell === 'object' ? { ...cell, text: `${job.id} ${cell.text}` } : cell;
}
