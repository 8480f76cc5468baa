/** `users`, `tokens`, `db`, `params`, `server`, `worker`: what runs on this machine, by our own modules instead of HTTP. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatOf, reasonOf } from '../cli/context.ts';
import { AGE_WORDS, parseAge } from '../domain/age.ts';
import { NEEDS_DATABASE } from './options.ts';
import { tokenCommands } from './token-commands.ts';
import { userCommands } from './user-commands.ts';

/**
 * Nothing but commander is loaded here: each command loads what it runs by import(), so that those which speak HTTP
 * start without Postgres, Temporal and the rest.
 */
export function operatorCommands(program: Command): void {
  userCommands(program);
  tokenCommands(program);
  databaseCommands(program);
  program
    .command('params')
    .description('the params files')
    .addHelpText('after', '\nExample:\n  syncrator params check')
    .command('check [folder]')
    .description('read all params files and tell every fault; exit code 1 if there is one')
    .addHelpText(
      'after',
      '\nWithout a folder: JOB_PARAMS, else job_params.\n\nExample:\n  syncrator params check job_params',
    )
    .action(async (folder: string | undefined, _: object, command: Command) => {
      const { checkParams } = await import('./params.ts');
      await checkParams(formatOf(command), folder);
    });
  program
    .command('server')
    .description('run the api in this process')
    .addHelpText('after', '\nIts settings are in the README.\n\nExample:\n  PORT=8080 syncrator server')
    .action(async () => await (await import('../server.ts')).runServer());
  program
    .command('worker')
    .description('run a worker in this process')
    .addHelpText(
      'after',
      '\nIts settings are in the README.\n\nExample:\n  RUNNER=kubernetes syncrator worker',
    )
    .action(async () => await (await import('../worker.ts')).runWorkerProcess());
}

type PurgeOptions = { logsOlderThan?: number; jobsOlderThan?: number; dryRun?: true };

function databaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description("the database's migrations, and what it keeps")
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db status`);
  db.command('status', { isDefault: true })
    .description('which migrations are applied, and which are pending')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db status --output json`)
    .action(async (_: object, command: Command) => {
      const { status } = await import('./migrations.ts');
      await status(formatOf(command));
    });
  db.command('up')
    .description('apply the pending migrations; api and worker do so by themselves')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db up`)
    .action(async (_: object, command: Command) => {
      const { up } = await import('./migrations.ts');
      await up(formatOf(command));
    });
  db.command('restored')
    .description('after a restore, before api and worker start: no id is given out twice')
    .addHelpText('after', `${NEEDS_DATABASE}syncrator db restored`)
    .action(async (_: object, command: Command) => {
      const { afterRestore } = await import('./restored.ts');
      await afterRestore(formatOf(command));
    });
  db.command('purge')
    .description('delete old logs and jobs; never active ones, or the newest success of a target')
    .option('--logs-older-than <age>', 'of jobs that ended so long ago: 36h, 90d, 8w, 2y', age)
    .option('--jobs-older-than <age>', 'the jobs themselves, with all that is recorded of them', age)
    .option('--dry-run', 'only tell what would be deleted')
    .addHelpText(
      'after',
      `\nThe workers do so by themselves every hour, as KEEP_LOGS and KEEP_JOBS say.${NEEDS_DATABASE}syncrator db purge --logs-older-than 90d --dry-run`,
    )
    .action(async (options: PurgeOptions, command: Command) => {
      const { purgeOld } = await import('./purge.ts');
      await purgeOld(formatOf(command), options, reasonOf(command));
    });
}

function age(text: string): number {
  const seconds = parseAge(text);
  if (seconds === undefined) throw new InvalidArgumentError(`It ${AGE_WORDS}.`);
  return seconds;
}
