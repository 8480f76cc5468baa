/** `losses approve` and `losses keep`: answer a set of removals that waits. */
import { type Command, InvalidArgumentError } from 'commander';
import type { LossJson } from '../client/client.ts';
import { records } from '../client/data-format.ts';
import { approvalWords, removalWords, startsRemoval } from '../client/loss-format.ts';
import { KEEP_DAYS } from '../domain/loss.ts';
import { confirm } from '../terminal/confirm.ts';
import { CliFailure } from '../terminal/failure.ts';
import { reasonOf } from '../terminal/global-options.ts';
import { print, shown } from '../terminal/output.ts';
import type { Context } from './context.ts';
import { factsAndRecords, firstRecords } from './describe-loss.ts';
import type { Server } from './remote.ts';
import { type StartOptions, followOptions, followStarted, wayOf } from './start.ts';
import { lossId } from './values.ts';

type ApproveOptions = StartOptions & { digest?: string };
type KeepOptions = { all?: true; days: number; digest?: string };

export function approveCommand(losses: Command, contextOf: (command: Command) => Context): void {
  const approve = losses
    .command('approve')
    .description('let the records be removed by a job')
    .argument('<id>', 'id of the set', lossId)
    .option('--digest <digest>', 'do not ask; fail unless the set is the one with this digest');
  followOptions(approve)
    .addHelpText(
      'after',
      `
Needs --reason, the right approve, and another user than who started the job.
Without --digest it shows the set and asks. The job asks the source once more:
what has come back stays.

Examples:
  syncrator losses approve 7 --reason 'closed in the source'
  syncrator losses approve 7 --digest 3f0c9a71b2d84e653f0c9a71b2d84e65 --reason 'closed' -d`,
    )
    .action(async (id: number, options: ApproveOptions, command: Command) => {
      const context = contextOf(command);
      const reason = neededReason(command, 'approve');
      const way = wayOf(options);
      const digest = options.digest ?? (await confirmed(context.server, id));
      const loss = await context.server.call((api) => api.approveLoss(id, { digest, reason }));
      if (loss.removal_job_id === null) print(context.format, loss, () => approved(loss));
      else await followStarted(context, way, { answer: loss, id: loss.removal_job_id });
    });
}

export function keepCommand(losses: Command, contextOf: (command: Command) => Context): void {
  losses
    .command('keep')
    .description('keep records live for some time')
    .argument('<id>', 'id of the set', lossId)
    .argument('[records...]', 'ids of the records')
    .option('--all', 'all records of the set')
    .option('--days <days>', `for how long, 1 to ${KEEP_DAYS.most}`, daysOf, KEEP_DAYS.usual)
    .option('--digest <digest>', 'fail unless the set is the one with this digest')
    .addHelpText(
      'after',
      `
Needs --reason and the right approve. A kept record is not proposed again before
its days are over; the rest of the set keeps waiting.

Examples:
  syncrator losses keep 7 k00042 k00911 --days 90 --reason 'still in use'
  syncrator losses keep 7 --all --reason 'the source is wrong; told them'`,
    )
    .action(async (id: number, ids: string[], options: KeepOptions, command: Command) => {
      const { server, format } = contextOf(command);
      const reason = neededReason(command, 'keep');
      if ((ids.length === 0) === (options.all === undefined))
        throw new CliFailure('name the records to keep, or use --all (e.g. syncrator losses keep 7 k00042)');
      const { days, all } = options;
      const digest = options.digest ?? (await server.call((api) => api.showLoss(id))).digest;
      const which = all ? ({ all: true } as const) : { ids };
      const loss = await server.call((api) => api.keepLoss(id, { digest, reason, days, ...which }));
      const kept = all ? 'all records' : records(new Set(ids).size);
      print(format, loss, () => `kept ${kept} for ${days} days; ${restWords(loss)}`);
    });
}

function restWords({ id, count }: LossJson): string {
  if (count === 0) return 'nothing waits any more';
  return `${records(count)} still ${count === 1 ? 'waits' : 'wait'}: syncrator losses show ${id}`;
}

function approved(loss: LossJson): string {
  return `approved: ${approvalWords(loss)}; nothing is removed before somebody else approves, too`;
}

/** @throws CliFailure without --reason, which the server stores with the answer */
function neededReason(command: Command, verb: string): string {
  const reason = reasonOf(command)?.trim();
  if (reason) return reason;
  throw new CliFailure(`losses ${verb} needs --reason: why is this right? The audit keeps it`);
}

/**
 * Shows a set and asks.
 * @returns the digest of the set that was shown
 * @throws CliFailure for any answer but yes, and without a terminal
 */
async function confirmed(server: Server, id: number): Promise<string> {
  const instead = `--digest <digest> (syncrator losses show ${id} names it)`;
  if (!process.stdin.isTTY) throw new CliFailure(`no terminal to ask for confirmation: use ${instead}`);
  const loss = await server.call((api) => api.showLoss(id));
  const words = factsAndRecords(loss, await firstRecords(server, id));
  // A table for a terminal is harmless already; one for a pipe is not, and this goes to the terminal.
  process.stderr.write(`${process.stdout.isTTY ? words : shown(words, process.stderr)}\n\n`);
  const more = startsRemoval(loss) ? '' : ' once somebody else approves, too';
  await confirm(`${removalWords(loss)}${more}. Approve?`, instead);
  return loss.digest;
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < KEEP_DAYS.least || days > KEEP_DAYS.most)
    throw new InvalidArgumentError(`expected a number from 1 to ${KEEP_DAYS.most}`);
  return days;
}
