/** Declares the commands that run on this machine instead of calling the server: users, tokens, db, params, target, server, worker. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatOf, reasonOf } from '../terminal/global-options.ts';
import { AGE_WORDS, parseAge } from '../domain/age.ts';
import { NEEDS_DATABASE } from './options.ts';
import { tokenCommands } from './token-commands.ts';
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

function targetCommands(program: Command): void {
  program
    .command('target')
    .description('check source and sink of a target')
    .addHelpText('after', '\nExample:\n  syncrator target check avo qas')
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
    .action(async (target: string, env: string, options: { settings?: string }, command: Command) => {
      const { checkTarget } = await import('./target-check.ts');
      await checkTarget(formatOf(command), { target, env, settings: options.settings });
    });
}

function connectorCommands(program: Command): void {
  program
    .command('connector')
    .description('ask the connector of a target for its streams')
    .addHelpText('after', '\nExample:\n  syncrator connector discover shop dev')
    .command('discover <target> <env>')
    .description('run spec, check and discover of its connector, and print params and settings for a stream')
    .option('--settings <file>', 'its settings (default: envtarget/<env>-<target>.env in SYNCRATOR_DATA)')
    .option('--stream <name>', 'print the params file and settings of a target with this stream')
    .option('--write', 'with --stream: write the params file into JOB_PARAMS, if it does not exist', false)
    .addHelpText(
      'after',
      `
The settings need SOURCE=connector, CONNECTOR and CONNECTOR_CONFIG. The connector runs on this
machine and reads no record. On Kubernetes, run syncrator-job connector in a pod of its image:
docs/how-to/connector.md.

Example:
  syncrator connector discover shop dev --stream orders`,
    )
    .action(async (target: string, env: string, options: DiscoverOptions, command: Command) => {
      const { discoverConnector } = await import('./connector-discover.ts');
      await discoverConnector(formatOf(command), { target, env, ...options });
    });
}

type DiscoverOptions = { settings?: string; stream?: string; write: boolean };

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
