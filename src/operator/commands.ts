/** Declares the commands that run on this machine instead of calling the server: users, tokens, db, params, target, server, worker. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatOf, reasonOf } from '../terminal/global-options.ts';
import { AGE_WORDS, parseAge } from '../domain/age.ts';
import { NEEDS_DATABASE } from './options.ts';
import { tokenCommands } from './token-commands.ts';
import { connectorCommands } from './connector-commands.ts';
import { targetCommands } from './target-commands.ts';
import { userCommands } from './user-commands.ts';

/**
 * Loads commander only: each command imports its implementation when it runs, so that commands that call the server
 * start without loading Postgres and Temporal.
 */
export function operatorCommands(program: Command): void {
  program.commandsGroup('manage access, database; check params, targets');
  userCommands(program);
  tokenCommands(program);
  databaseCommands(program);
  paramsCommands(program);
  targetCommands(program);
  connectorCommands(program);
  program.commandsGroup('run the api or a worker in this process');
  program
    .command('server')
    .description('run the api in this process')
    .addHelpText(
      'after',
      '\nConfigured by environment variables: docs/reference/settings.md.\n\nExample:\n  PORT=8080 syncrator server',
    )
    .action(async () => await (await import('../server.ts')).runServer());
  program
    .command('worker')
    .description('run a worker in this process')
    .addHelpText(
      'after',
      '\nConfigured by environment variables: docs/reference/settings.md.\n\nExample:\n  RUNNER=kubernetes syncrator worker',
    )
    .action(async () => await (await import('../worker.ts')).runWorkerProcess());
}

function paramsCommands(program: Command): void {
  program
    .command('params')
    .description('check the params files')
    .addHelpText('after', '\nExample:\n  syncrator params check')
    .command('check [folder]')
    .description('read all params files and print every error; exit code 1 if there is one')
    .addHelpText(
      'after',
      '\nChecks JOB_PARAMS without a folder, or else job_params.\n\nExample:\n  syncrator params check job_params',
    )
    .action(async (folder: string | undefined, _: object, command: Command) => {
      const { checkParams } = await import('./params.ts');
      await checkParams(formatOf(command), folder);
    });
}

type PurgeOptions = { logsOlderThan?: number; jobsOlderThan?: number; dryRun?: true };

function databaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description('show and apply migrations, delete old data')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db status`);
  db.command('status', { isDefault: true })
    .description('list the applied and the pending migrations')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db status --output json`)
    .action(async (_: object, command: Command) => {
      const { status } = await import('./migrations.ts');
      await status(formatOf(command));
    });
  db.command('up')
    .description('apply the pending migrations; api and worker also do so when they start')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db up`)
    .action(async (_: object, command: Command) => {
      const { up } = await import('./migrations.ts');
      await up(formatOf(command));
    });
  db.command('restored')
    .description('after a restore, before api and worker start: prevent reuse of job ids')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db restored`)
    .action(async (_: object, command: Command) => {
      const { afterRestore } = await import('./restored.ts');
      await afterRestore(formatOf(command));
    });
  db.command('purge')
    .description('delete old logs and jobs, except active jobs and the last success of a target')
    .option('--logs-older-than <age>', 'of jobs that ended longer ago than 36h, 90d, 8w or 2y', age)
    .option('--jobs-older-than <age>', 'jobs with all their records, by the same ages', age)
    .option('--dry-run', 'show what would be deleted without deleting it')
    .addHelpText(
      'after',
      `\nThe workers do so every hour, by KEEP_LOGS and KEEP_JOBS.${NEEDS_DATABASE}syncrator db purge --logs-older-than 90d --dry-run`,
    )
    .action(async (options: PurgeOptions, command: Command) => {
      const { purgeOld } = await import('./purge.ts');
      await purgeOld(formatOf(command), options, reasonOf(command));
    });
}

function age(text: string): number {
  const seconds = parseAge(text);
  if (seconds === undefined) throw new InvalidArgumentError(`it ${AGE_WORDS}`);
  return seconds;
}
