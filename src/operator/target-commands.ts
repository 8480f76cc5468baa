/** Declares `target add` and `target check`. */
import { type Command, InvalidArgumentError } from 'commander';
import { DECLARED_ACTIONS, type DeclaredAction } from '../domain/action.ts';
import { CliFailure } from '../terminal/failure.ts';
import { formatOf } from '../terminal/global-options.ts';
import { type Timing, zoneHere } from './target-choices.ts';

type AddOptions = {
  settings?: string;
  actions?: DeclaredAction[];
  schedule?: string;
  timezone?: string;
  check: boolean;
};

export function targetCommands(program: Command): void {
  const target = program
    .command('target')
    .description('add a target; check its source and sink')
    .addHelpText(
      'after',
      '\nExamples:\n  syncrator target add stations dev\n  syncrator target check avo qas',
    );
  addCommand(target);
  checkCommand(target);
}

function addCommand(target: Command): void {
  target
    .command('add <target> <env>')
    .description('ask for source, sink and schedule, test them, and write the files of a new target')
    .option('--settings <file>', 'ask nothing: settings of source and sink as KEY=value lines; - for stdin')
    .option('--actions <list>', 'its jobs, with commas (default: sync,diff)', readActions)
    .option('--schedule <cron>', 'when its diff runs by itself (without one: its sync, delta or delete)')
    .option('--timezone <zone>', 'zone of the schedule (default: that of this machine)')
    .option('--no-check', 'write the files although source or sink is out of reach from here')
    .addHelpText(
      'after',
      `
Shows five records and what a first sync would do, and writes nothing if it would fail. Else writes
a params file for each job in JOB_PARAMS, and the settings, readable by their owner alone:
envtarget/<env>-<target>.env in SYNCRATOR_DATA. Options other than --settings need it.

Examples:
  syncrator target add stations dev
  syncrator target add stations dev --settings stations.env --schedule '30 2 * * *'`,
    )
    .action(async (name: string, env: string, options: AddOptions, command: Command) => {
      refuseIgnored(options);
      const { addTarget } = await import('./target-add/target-add.ts');
      await addTarget(formatOf(command), {
        key: { env, target: name },
        settings: options.settings,
        actions: options.actions ?? ['sync', 'diff'],
        timing: timingOf(options),
        isChecked: options.check,
      });
    });
}

/** @throws CliFailure for an option that would be ignored */
function timingOf({ schedule, timezone }: AddOptions): Timing | null {
  if (schedule !== undefined) return { schedule, timezone: timezone ?? zoneHere() };
  if (timezone !== undefined) throw new CliFailure('--timezone needs --schedule');
  return null;
}

function refuseIgnored({ settings, actions, schedule, timezone, check }: AddOptions): void {
  const isGiven = { actions, schedule, timezone, 'no-check': check ? undefined : true };
  const ignored = Object.entries(isGiven).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`],
  );
  if (settings === undefined && ignored.length > 0)
    throw new CliFailure(`${ignored.join(' and ')}: only with --settings; without it, the command asks`);
}

function readActions(list: string): DeclaredAction[] {
  return list.split(',').map((word) => {
    const action = DECLARED_ACTIONS.find((known) => known === word.trim());
    if (!action) throw new InvalidArgumentError(`'${word}' is not one of ${DECLARED_ACTIONS.join(', ')}.`);
    return action;
  });
}

function checkCommand(target: Command): void {
  target
    .command('check <target> <env>')
    .description('test source and sink, show five records, and what a sync would do; writes nothing')
    .option('--settings <file>', 'its settings (default: envtarget/<env>-<target>.env in SYNCRATOR_DATA)')
    .addHelpText(
      'after',
      `
Runs the sync program on this machine, with the params files of JOB_PARAMS. Exit code 1 if a sync
would fail. On Kubernetes, run it in a pod: docs/how-to/check-a-target.md.

Example:
  syncrator target check avo qas`,
    )
    .action(async (name: string, env: string, options: { settings?: string }, command: Command) => {
      const { checkTarget } = await import('./target-check.ts');
      await checkTarget(formatOf(command), { target: name, env, settings: options.settings });
    });
}
