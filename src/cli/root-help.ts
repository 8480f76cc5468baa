/** The first help: all commands on one screen, those alike on one line. */
import type { Command, Help } from 'commander';

const COMMANDS = [
  ['sync|delta|delete|diff <target> <env>', 'start; --dry-run shows what would run'],
  ['rollback <target> <env>', 'switch back to what the last sync replaced'],
  ['run <target> <env>', 'start by parameters instead of a params file'],
  ['jobs', 'what ran, what runs, and why it failed'],
  ['targets [name]', 'what can be run, when it last succeeded, what runs now'],
  ['schedules', 'what runs by itself'],
  ['maintenance, audit', 'hold back what has not begun; who did what'],
  ['login, logout, whoami', 'let the server know you; forget it; what you may do'],
  ['complete <shell>', 'teach your shell to complete all this'],
] as const;

/** These run on this machine instead of asking the server. */
const HERE = [
  ['server, worker', 'run the api or a worker in this process'],
  ['users, tokens, db, params', "users; programs' tokens; migrations; check params files"],
] as const;

const WIDTH = 37;

export function rootHelp(root: Command, help: Help): string {
  const line = ([term, what]: readonly [string, string]) => `  ${term.padEnd(WIDTH)} ${what}`;
  const options = help
    .visibleOptions(root)
    .map((option) => line([help.optionTerm(option), help.optionDescription(option)]));
  return `Usage: syncrator <command>; more of each: syncrator <command> --help

${COMMANDS.map(line).join('\n')}
${HERE.map(line).join('\n')}

${options.join('\n')}

Exit codes: 0 done, 1 asked wrongly or refused, 2 the run failed, 3 no server, 130 interrupted.
SYNCRATOR_TOKEN is used instead of a login; NO_COLOR turns colours off.

Example:
  syncrator sync avo qas --follow
`;
}
