/** `jobs`: list, show, logs, cancel, resume, submit, watch. */
import type { Command } from 'commander';
import { ago, recordsOf, tookOf } from '../client/format.ts';
import { isFinal } from '../domain/status.ts';
import type { Context } from './context.ts';
import { describe } from './describe-job.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import { harmless, print, shown, tableOf } from '../terminal/output.ts';
import type { Server } from './remote.ts';
import { submitCommand } from './submit-command.ts';
import { count, isJobId } from './values.ts';
import { statusCell } from './job-cells.ts';

type ResumeOptions = { all?: true; follow?: true };

type ListOptions = {
  status?: string;
  target?: string;
  env?: string;
  action?: string;
  active?: true;
  limit: number;
};

export function jobCommands(program: Command, contextOf: (command: Command) => Context): void {
  const jobs = program
    .command('jobs')
    .description('list, follow, cancel and resume jobs')
    .addHelpText('after', '\nExample:\n  syncrator jobs show 7');
  jobs
    .command('list', { isDefault: true })
    .description('list jobs, newest first')
    .option('-s, --status <words>', 'only these, comma-separated: running,failed')
    .option('-t, --target <target>', 'only this target')
    .option('-e, --env <env>', 'only this environment')
    .option('-a, --action <words>', 'only these actions, comma-separated')
    .option('--active', 'only jobs that have not ended')
    .option('-n, --limit <count>', 'jobs to list, 1 to 100', count, 20)
    .addHelpText('after', '\nExample:\n  syncrator jobs list --status failed --env prd')
    .action((options: ListOptions, command: Command) => list(contextOf(command), options));
  jobs
    .command('show <id>')
    .description('show one job: its steps, its progress, and why it failed')
    .addHelpText('after', '\nExample:\n  syncrator jobs show 7 --output yaml')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const job = await server.call((api) => api.showJob(idOf(id)));
      print(format, job, () => describe(job));
    });
  logsCommand(jobs, contextOf);
  cancelCommand(jobs, contextOf);
  resumeCommand(jobs, contextOf);
  submitCommand(jobs, contextOf);
  watchCommand(jobs, contextOf);
}

function logsCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('logs <id>')
    .description('print the log of the last step')
    .option('-f, --follow', 'keep printing until the job ends')
    .option('--all', 'of all steps and attempts, in order')
    .addHelpText('after', '\nExample:\n  syncrator jobs logs -f 7\n  syncrator jobs logs --all 7 > job-7.log')
    .action(async (id: string, options: { follow?: true; all?: true }, command: Command) => {
      const { server } = contextOf(command);
      if (options.follow && options.all) throw new CliFailure('--follow and --all exclude each other');
      if (options.follow) return await followLog(server, idOf(id));
      const steps = options.all ? 'all steps' : 'last step';
      const log = await server.call((api) => api.readLogBytes(idOf(id), steps));
      process.stdout.write(process.stdout.isTTY ? harmless(new TextDecoder().decode(log)) : log);
    });
}

function cancelCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('cancel <id>')
    .description('cancel a job: its pod gets SIGTERM; the target is free once it is gone')
    .option('-w, --wait', 'wait until it has ended')
    .addHelpText('after', '\nExample:\n  syncrator jobs cancel 7 --wait')
    .action(async (id: string, options: { wait?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const asked = await server.call((api) => api.cancelJob(idOf(id)));
      const job = options.wait && !isFinal(asked.status) ? await follow(server, asked.id) : asked;
      print(format, job, () => summaryOf(job));
    });
}

function resumeCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('resume [id]')
    .description('start a new job that continues where a failed one stopped')
    .option('--all', 'every target whose last job failed')
    .option('-f, --follow', 'show progress until the job ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator jobs resume 7 --follow\n  syncrator jobs resume --all')
    .action((id: string | undefined, options: ResumeOptions, command: Command) =>
      resume(contextOf(command), id, options),
    );
}

function watchCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('watch <id>')
    .description('show progress until the job ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator jobs watch 7')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const job = await follow(server, idOf(id));
      print(format, job, () => summaryOf(job));
      endWith(job);
    });
}

async function resume(
  { server, format }: Context,
  id: string | undefined,
  options: ResumeOptions,
): Promise<void> {
  if ((id === undefined) === (options.all === undefined))
    throw new CliFailure('name one failed job or use --all (e.g. syncrator jobs resume 7)');
  if (id === undefined) {
    const resumed = await server.call((api) => api.resumeAll());
    const rows = resumed.map(({ resumes, job_id: by, msg }) => [
      String(resumes),
      by === null ? '' : String(by),
      msg,
    ]);
    print(format, resumed, () =>
      tableOf(['FAILED', 'RESUMED BY', ''], rows, "nothing to resume: no target's last job failed"),
    );
    return;
  }
  const started = await server.call((api) => api.resumeJob(idOf(id)));
  const job = options.follow ? await follow(server, started.id) : started;
  print(format, job, () => summaryOf(job));
  if (options.follow) endWith(job);
}

async function list({ server, format }: Context, options: ListOptions): Promise<void> {
  const { status, action, active, ...fields } = options;
  const filter = {
    ...fields,
    status: status?.split(','),
    operation: action?.split(','),
    ignoreCompleted: active,
  };
  const { jobs, next } = await server.call((api) => api.listJobs(filter));
  const rows = jobs.map((job) => [
    String(job.id),
    statusCell(job),
    job.job_type,
    job.target,
    job.env,
    recordsOf(job.progress),
    tookOf(job),
    ago(job.created_at),
    job.diagnosis?.code ?? '',
  ]);
  const heads = ['ID', 'STATUS', 'ACTION', 'TARGET', 'ENV', 'RECORDS', 'TOOK', 'REQUESTED', 'WHY'];
  const more = next === undefined ? '' : '\nolder jobs are not shown: raise --limit, or filter';
  print(format, jobs, () => tableOf(heads, rows, 'no job matches') + more);
}

async function followLog(server: Server, id: number): Promise<void> {
  const gone = new AbortController();
  const onInterrupt = () => gone.abort();
  process.once('SIGINT', onInterrupt);
  try {
    for await (const { text } of server.live(gone.signal, (api, follow) => api.liveLogs(id, follow)))
      process.stdout.write(shown(text));
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  if (gone.signal.aborted)
    throw new CliFailure(`stopped following; job ${id} keeps running`, EXIT.interrupted);
}

/** @throws CliFailure for text that is not a job id */
function idOf(text: string): number {
  if (!isJobId(text)) throw new CliFailure(`invalid job id '${text}' (expected a number, e.g. 7)`);
  return Number(text);
}
