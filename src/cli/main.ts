#!/usr/bin/env node
/** `syncrator`: what the api can do, from a terminal. Speaks HTTP only. */
import { Command, CommanderError } from 'commander';
import { NotAnswered } from '../ask-password.ts';
import { type Context, contextOf, DEFAULT_URL } from './context.ts';
import { CliFailure, EXIT } from './failure.ts';
import { jobCommands } from './job-commands.ts';
import { loginCommands } from './login-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { runCommand, startCommands } from './start-commands.ts';
import { targetCommands } from './target-commands.ts';

const program = new Command('syncrator')
  .description('Starts, watches, cancels and schedules data-synchronisation jobs.')
  .option('--url <address>', `the server (default: SYNCRATOR_URL, else ${DEFAULT_URL})`)
  .option('--output <form>', 'table, json or yaml', 'table')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 asked wrongly or refused, 2 the run failed, 3 no server, 130 interrupted.\n' +
      'SYNCRATOR_TOKEN is used instead of a login; NO_COLOR turns colours off.\n\n' +
      'Examples:\n  syncrator login -u admin\n  syncrator sync avo qas --follow\n  syncrator jobs --status failed',
  )
  .exitOverride()
  .showSuggestionAfterError();

const context = (command: Command): Context => contextOf(command, process.env);
startCommands(program, context);
runCommand(program, context);
jobCommands(program, context);
targetCommands(program, context);
scheduleCommands(program, context);
maintenanceCommands(program, context);
loginCommands(program, context);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** @returns what the process ends with */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has told by itself
  if (error instanceof NotAnswered) return EXIT.interrupted;
  process.stderr.write(`syncrator: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof CliFailure ? error.exitCode : EXIT.usage;
}
