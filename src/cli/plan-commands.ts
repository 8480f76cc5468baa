/** `plan` finds out what an action would change; `plans` lists plans, shows their records and applies one. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Client, PlanJson } from '../client/client.ts';
import { ago } from '../client/format.ts';
import { countWords, effectWords, planWords, whyNotApply } from '../client/plan-format.ts';
import { PLANNABLE } from '../domain/action.ts';
import {
  LEAST_DIGEST,
  PLAN_KINDS,
  type PlanKind,
  PLAN_STATES,
  type PlanState,
} from '../domain/change-plan.ts';
import { confirm } from '../terminal/confirm.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Cell, print, shown, styled, tableOf } from '../terminal/output.ts';
import type { Context } from './context.ts';
import { describePlan, readRecords, recordsTable } from './describe-plan.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import type { Server } from './remote.ts';
import { UNPROMOTED } from './start-commands.ts';
import { followOptions, followStarted, start, type StartOptions, wayOf } from './start.ts';
import { count, planId } from './values.ts';

type ContextOf = (command: Command) => Context;
type PlanOptions = StartOptions & { unpromoted?: true };
type ListOptions = { target?: string; env?: string; state?: PlanState; limit: number };
type ShowOptions = { kind?: PlanKind; id?: string; all?: true; limit: number };

/** `plan`: as the commands that start a job, but with the action as its first argument. */
export function planCommand(program: Command, contextOf: ContextOf): void {
  followOptions(program.command('plan <action> <target> <env>'))
    .option('--unpromoted', UNPROMOTED)
    .description('find out what a job would change, and change nothing')
    .addHelpText(
      'after',
      `
For ${PLANNABLE.join(', ')}. The plan has the id of its job; it can be applied for seven days,
unless another job of the target completes before.

Example:
  syncrator plan sync avo qas --follow`,
    )
    .action(async (action: string, target: string, env: string, options: PlanOptions, command: Command) => {
      const context = contextOf(command);
      const { unpromoted } = options;
      const ask = (api: Client) => api.plan(action, target, env, undefined, { unpromoted });
      if (wayOf(options) === 'detach') return await start(context, options, ask);
      const started = await context.server.call(ask);
      const job = await follow(context.server, started.job_id, { quiet: options.wait === true });
      const plan =
        job.plan_id === null ? undefined : await context.server.call((api) => api.showPlan(job.id));
      print(context.format, plan ?? job, () =>
        plan ? `${summaryOf(job)}\n\n${describePlan(plan)}` : summaryOf(job),
      );
      if (job.status === 'completed' && plan === undefined)
        throw new CliFailure(`job ${job.id} told no plan: does our sync program write this target?`);
      endWith(job);
    });
}

export function planCommands(program: Command, contextOf: ContextOf): void {
  const plans = program
    .command('plans')
    .description('show plans; apply one')
    .addHelpText(
      'after',
      `
Examples:
  syncrator plans --state ready
  syncrator plans show 7 --kind removed
  syncrator plans apply 7 --digest 3f0c9a71b2d84e65`,
    );
  listCommand(plans, contextOf);
  showCommand(plans, contextOf);
  applyCommand(plans, contextOf);
}

function listCommand(plans: Command, contextOf: ContextOf): void {
  plans
    .command('list', { isDefault: true })
    .description('list plans, newest first')
    .option('-t, --target <target>', 'only of this target')
    .option('-e, --env <env>', 'only in this environment')
    .addOption(new Option('-s, --state <state>', 'only in this state').choices(PLAN_STATES))
    .option('-n, --limit <count>', 'plans to list, 1 to 100', count, 20)
    .addHelpText('after', '\nExample:\n  syncrator plans list --env prd --state ready')
    .action(async (options: ListOptions, command: Command) => {
      const { server, format } = contextOf(command);
      const { plans: found, next } = await server.call((api) => api.listPlans(options));
      print(format, found, () => listed(found, next !== undefined));
    });
}

const HEADS = ['ID', 'TARGET', 'ENV', 'ACTION', 'STATE', 'CHANGES', 'MADE'];

function listed(plans: readonly PlanJson[], hasMore: boolean): string {
  const table = tableOf(HEADS, plans.map(rowOf), 'no plan');
  const [first] = plans;
  if (!first) return table;
  const more = hasMore ? ['older plans are not shown: raise --limit, or filter'] : [];
  return [table, ...more, styled('dim', `look at one: syncrator plans show ${first.id}`)].join('\n');
}

function rowOf(plan: PlanJson): Cell[] {
  const { id, target, env, action, state, born_at: at } = plan;
  const look = state === 'ready' ? 'green' : 'dim';
  return [String(id), target, env, action, { text: state, look }, countWords(plan), ago(at)];
}

function showCommand(plans: Command, contextOf: ContextOf): void {
  plans
    .command('show')
    .description('show one plan: its counts and records')
    .argument('<id>', 'id of the plan', planId)
    .addOption(new Option('-k, --kind <kind>', 'only records of this kind').choices(PLAN_KINDS))
    .option('--id <part>', 'only ids that contain this')
    .option('--all', 'all records')
    .option('-n, --limit <count>', 'records to show, 1 to 100', count, 20)
    .addHelpText(
      'after',
      `
A table cuts the content at the width of the terminal. json and yaml have all of it; with --kind,
--id or --all they hold the records, else the plan.

Examples:
  syncrator plans show 7 --kind updated --id k009
  syncrator plans show 7 --all --output json > changes.json`,
    )
    .action(async (id: number, options: ShowOptions, command: Command) => {
      const { server, format } = contextOf(command);
      const plan = await server.call((api) => api.showPlan(id));
      const { kind, id: part, all } = options;
      const isOfRecords = kind !== undefined || part !== undefined || all !== undefined;
      if (!isOfRecords && format !== 'table') return print(format, plan, () => '');
      const { records, hasMore } = await readRecords(server, id, options);
      if (isOfRecords && format !== 'table') return print(format, records, () => '');
      const more = hasMore ? '\nmore records are not shown: --all, --kind <kind> or --id <part>' : '';
      print(format, plan, () => `${describePlan(plan)}\n\n${recordsTable(records)}${more}`);
    });
}

function applyCommand(plans: Command, contextOf: ContextOf): void {
  const apply = plans
    .command('apply')
    .description('make exactly the changes of a plan')
    .argument('<id>', 'id of the plan', planId)
    .option(
      '--digest <digest>',
      `do not ask; fail unless the plan's digest begins so (${LEAST_DIGEST} at least)`,
      digest,
    );
  followOptions(apply)
    .option('--unpromoted', UNPROMOTED)
    .addHelpText(
      'after',
      `
Without --digest it shows the counts and asks. The job changes nothing (plan_stale)
if the sink has changed since the plan was made.

Example:
  syncrator plans apply 7 --digest 3f0c9a71b2d84e65`,
    )
    .action(async (id: number, options: PlanOptions & { digest?: string }, command: Command) => {
      const context = contextOf(command);
      const way = wayOf(options);
      const seen = options.digest ?? (await confirmed(context.server, id));
      const answer = await context.server.call((api) =>
        api.applyPlan(id, seen, undefined, { unpromoted: options.unpromoted }),
      );
      await followStarted(context, way, { answer, id: answer.job_id, isOld: answer.deduplicated });
    });
}

/**
 * Shows a plan and asks.
 * @returns the digest of the plan that was shown
 * @throws CliFailure for any answer but yes, and without a terminal
 */
async function confirmed(server: Server, id: number): Promise<string> {
  const instead = `--digest <digest> (syncrator plans show ${id} names it)`;
  if (!process.stdin.isTTY) throw new CliFailure(`no terminal to ask for confirmation: use ${instead}`);
  const plan = await server.call((api) => api.showPlan(id));
  const why = whyNotApply(plan);
  if (why !== undefined) throw new CliFailure(why);
  const words = describePlan(plan);
  process.stderr.write(`${process.stdout.isTTY ? words : shown(words, process.stderr)}\n\n`);
  const effect = effectWords(plan).join('; ') || 'No record will change';
  await confirm(`${effect}, by the ${planWords(plan)}. Apply?`, instead);
  return plan.digest;
}

function digest(text: string): string {
  if (!new RegExp(`^[0-9a-f]{${LEAST_DIGEST},64}$`).test(text))
    throw new InvalidArgumentError(`expected ${LEAST_DIGEST} to 64 of 0-9 and a-f`);
  return text;
}
