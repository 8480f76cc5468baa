/** All commands of `syncrator` in one tree: those that speak HTTP, and those that run on this machine. */
import { Command, type Help } from 'commander';
import { operatorCommands } from '../operator/commands.ts';
import { type Context, contextOf, DEFAULT_URL } from './context.ts';
import { jobCommands } from './job-commands.ts';
import { loginCommands } from './login-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { rootHelp } from './root-help.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { runCommand, startCommands } from './start-commands.ts';
import { targetCommands } from './target-commands.ts';

export function createProgram(environment: NodeJS.ProcessEnv): Command {
  const program = new Command('syncrator')
    .description('Starts, watches, cancels and schedules data-synchronisation jobs.')
    .option('--url <address>', `server (default: SYNCRATOR_URL, else ${DEFAULT_URL})`)
    .option('--output <form>', 'table, json or yaml', 'table')
    .exitOverride()
    .showSuggestionAfterError();
  const context = (command: Command): Context => contextOf(command, environment);
  startCommands(program, context);
  runCommand(program, context);
  jobCommands(program, context);
  targetCommands(program, context);
  scheduleCommands(program, context);
  maintenanceCommands(program, context);
  loginCommands(program, context);
  operatorCommands(program);
  // Commands take these settings over when they are made: from here on they are the root's alone.
  program.configureHelp({ formatHelp: (command: Command, help: Help) => rootHelp(command, help) });
  return program;
}
