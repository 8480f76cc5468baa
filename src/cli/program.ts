/** All commands of `syncrator` in one tree: those that speak HTTP, and those that run on this machine. */
import { Command } from 'commander';
import { operatorCommands } from '../operator/commands.ts';
import { auditCommand } from './audit-command.ts';
import { completeCommand } from './complete-command.ts';
import { type Context, contextOf, DEFAULT_URL } from './context.ts';
import { jobCommands } from './job-commands.ts';
import { loginCommands } from './login-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { rootHelp } from './root-help.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { runCommand, startCommands } from './start-commands.ts';
import { targetCommands } from './target-commands.ts';

export function createProgram(environment: NodeJS.ProcessEnv): Command {
  const program = createCommands(environment);
  completeCommand(program);
  // Commands take this over from their parent when they are made: it is the root's alone.
  return program.configureHelp({ formatHelp: rootHelp });
}

/** All but `complete`, which completion adds in its own way. */
export function createCommands(environment: NodeJS.ProcessEnv): Command {
  const program = new Command('syncrator')
    .description('Starts, watches, cancels and schedules data-synchronisation jobs.')
    .option('--url <address>', `server (default: SYNCRATOR_URL, else ${DEFAULT_URL})`)
    .option('--output <form>', 'table, json or yaml', 'table')
    .option('--reason <words>', 'why, for the audit')
    .exitOverride()
    .showSuggestionAfterError();
  const context = (command: Command): Context => contextOf(command, environment);
  startCommands(program, context);
  runCommand(program, context);
  jobCommands(program, context);
  targetCommands(program, context);
  scheduleCommands(program, context);
  maintenanceCommands(program, context);
  auditCommand(program, context);
  loginCommands(program, context);
  operatorCommands(program);
  return program;
}
