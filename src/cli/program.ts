/** Builds the tree of all commands: those that call the server, and those that run on this machine. */
import { Command } from 'commander';
import { operatorCommands } from '../operator/commands.ts';
import { VERSION } from '../version.ts';
import { auditCommand } from './audit-command.ts';
import { completeCommand } from './complete-command.ts';
import { type Context, contextOf, DEFAULT_URL } from './context.ts';
import { jobCommands } from './job-commands.ts';
import { loginCommands } from './login-commands.ts';
import { lossCommands } from './loss-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { reloadCommand } from './reload-command.ts';
import { nextCommand } from './next-command.ts';
import { rootHelp } from './root-help.ts';
import { forgetCommand } from './forget-command.ts';
import { planCommand, planCommands } from './plan-commands.ts';
import { rollbackCommand } from './rollback-command.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { storyCommand } from './story-command.ts';
import { sinkCommands } from './sink-commands.ts';
import { runCommand, startCommands } from './start-commands.ts';
import { targetCommands } from './target-commands.ts';

export function createProgram(environment: NodeJS.ProcessEnv): Command {
  const program = new Command('syncrator')
    .description('Starts, watches, cancels and schedules data-synchronisation jobs.')
    .option('--url <address>', `server (default: SYNCRATOR_URL, else ${DEFAULT_URL})`)
    .option('--output <form>', 'form of the output: table, json or yaml', 'table')
    .option('--reason <words>', 'reason for the audit')
    .version(VERSION, '--version', 'show the version')
    .exitOverride()
    .showSuggestionAfterError();
  const context = (command: Command): Context => contextOf(command, environment);
  program.commandsGroup('start a job of <target> <env>; --dry-run shows it first');
  startCommands(program, context);
  program.commandsGroup('see what a job would change; apply exactly that');
  planCommand(program, context);
  planCommands(program, context);
  program.commandsGroup('go back to before a job; tell or erase old values of records');
  rollbackCommand(program, context);
  storyCommand(program, context);
  forgetCommand(program, context);
  program.commandsGroup('');
  runCommand(program, context);
  program.commandsGroup('follow, cancel and resume jobs; answer removals that wait');
  jobCommands(program, context);
  nextCommand(program, context);
  lossCommands(program, context);
  program.commandsGroup('show what can run, and when; own its data');
  targetCommands(program, context);
  sinkCommands(program, context);
  scheduleCommands(program, context);
  program.commandsGroup('hold back jobs; read params files again; show who did what');
  maintenanceCommands(program, context);
  reloadCommand(program, context);
  auditCommand(program, context);
  program.commandsGroup('log in, log out, show your permissions');
  loginCommands(program, context);
  program.commandsGroup('');
  completeCommand(program);
  operatorCommands(program);
  // Commands inherit this setting when they are created: set last, it formats the root's help only.
  return program.configureHelp({ formatHelp: rootHelp });
}
