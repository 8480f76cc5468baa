/** `losses`: lists the removals that wait for an answer, and shows the records that they would remove. */
import { type Command, Option } from 'commander';
import type { LossJson, LossRecordJson } from '../client/client.ts';
import { approvalWords, percentWords } from '../client/loss-format.ts';
import { ago } from '../client/format.ts';
import { type Cell, print, styled, tableOf } from '../terminal/output.ts';
import type { Context } from './context.ts';
import { describeLoss, dueCell, firstRecords, recordsTable } from './describe-loss.ts';
import { approveCommand, keepCommand } from './loss-answers.ts';
import type { Server } from './remote.ts';
import { count, lossId } from './values.ts';

/** The records of one request of `--all`. */
const PAGE = 100;

type ListOptions = { target?: string; env?: string; status: 'waiting' | 'resolved' | 'all'; limit: number };
type RecordOptions = { id?: string; all?: true; limit: number };

export function lossCommands(program: Command, contextOf: (command: Command) => Context): void {
  const losses = program
    .command('losses')
    .description('show removals that wait; approve them, or keep records')
    .addHelpText(
      'after',
      `
A job that would remove more than its limits allow holds its removals: the
records stay live until somebody answers. Waiting never removes anything.

Examples:
  syncrator losses
  syncrator losses show 7
  syncrator losses keep 7 k00042 k00911 --reason 'still in use'
  syncrator losses approve 7 --reason 'closed in the source'`,
    );
  listCommand(losses, contextOf);
  losses
    .command('show')
    .description('show one set: its facts and first records')
    .argument('<id>', 'id of the set', lossId)
    .addHelpText('after', '\nExample:\n  syncrator losses show 7')
    .action(async (id: number, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const loss = await server.call((api) => api.showLoss(id));
      if (format !== 'table') return print(format, loss, () => '');
      const first = await firstRecords(server, id);
      print(format, loss, () => describeLoss(loss, first));
    });
  recordsCommand(losses, contextOf);
  approveCommand(losses, contextOf);
  keepCommand(losses, contextOf);
}

function listCommand(losses: Command, contextOf: (command: Command) => Context): void {
  losses
    .command('list', { isDefault: true })
    .description('list the sets that wait, oldest first')
    .option('-t, --target <target>', 'only of this target')
    .option('-e, --env <env>', 'only in this environment')
    .addOption(
      new Option('-s, --status <status>', 'which sets')
        .choices(['waiting', 'resolved', 'all'])
        .default('waiting'),
    )
    .option('-n, --limit <count>', 'sets to list, 1 to 100', count, 50)
    .addHelpText('after', '\nExample:\n  syncrator losses list --env prd')
    .action(async (options: ListOptions, command: Command) => {
      const { server, format } = contextOf(command);
      const { losses: found, next } = await server.call((api) => api.listLosses(options));
      print(format, found, () => listed(found, next !== undefined));
    });
}

const HEADS = ['ID', 'TARGET', 'ENV', 'RECORDS', 'OF LIVE', 'KEPT', 'WAITS SINCE', 'ANSWER', 'APPROVED'];

function listed(losses: readonly LossJson[], hasMore: boolean): string {
  const table = tableOf(HEADS, losses.map(rowOf), 'no removal waits for an answer');
  const [first] = losses;
  if (!first) return table;
  const more = hasMore ? ['newer sets are not shown: raise --limit, or filter'] : [];
  return [table, ...more, styled('dim', `look at one: syncrator losses show ${first.id}`)].join('\n');
}

function rowOf(loss: LossJson): Cell[] {
  return [
    String(loss.id),
    loss.target,
    loss.env,
    loss.count.toLocaleString('en'),
    percentWords(loss.count, loss.live),
    loss.pinned === 0 ? '' : loss.pinned.toLocaleString('en'),
    ago(loss.born_at),
    dueCell(loss),
    approvalWords(loss),
  ];
}

function recordsCommand(losses: Command, contextOf: (command: Command) => Context): void {
  losses
    .command('records')
    .description('list the records with their live content')
    .argument('<id>', 'id of the set', lossId)
    .option('--id <part>', 'only ids that contain this')
    .option('--all', 'all of them')
    .option('-n, --limit <count>', 'records to list, 1 to 100', count, 50)
    .addHelpText(
      'after',
      `
A table cuts the content at the width of the terminal; json and yaml have all of it.

Examples:
  syncrator losses records 7 --id k009
  syncrator losses records 7 --all --output json > removals.json`,
    )
    .action(async (id: number, options: RecordOptions, command: Command) => {
      const { server, format } = contextOf(command);
      const { records, hasMore } = await read(server, id, options);
      const more = hasMore ? '\nmore records are not shown: --all, or --id <part>' : '';
      print(format, records, () => recordsTable(records) + more);
    });
}

async function read(
  server: Server,
  loss: number,
  { id, all, limit }: RecordOptions,
): Promise<{ records: readonly LossRecordJson[]; hasMore: boolean }> {
  const records: LossRecordJson[] = [];
  let page = await server.call((api) => api.lossRecords(loss, { id, limit: all ? PAGE : limit }));
  records.push(...page.records);
  while (all && page.next !== undefined) {
    const { next } = page;
    page = await server.call((api) => api.nextLossRecords(loss, next));
    records.push(...page.records);
  }
  return { records, hasMore: page.next !== undefined };
}
