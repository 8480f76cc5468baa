/** `jobs`: list, show, logs, cancel, resume, watch. */
import type { Command } from 'commander';
import type { JobJson } from '../api/job-schema.ts';
import type { LogEvent, ResumedJson } from '../client/client.ts';
import { followEvents, type FollowOptions } from '../client/events.ts';
import type { Http } from '../client/http.ts';
import { ago, bytesOf, duration, recordsOf, tookOf } from '../client/words.ts';
import { isFinal } from '../domain/status.ts';
import type { Context } from './context.ts';
import { CliFailure, EXIT } from './failure.ts';
import { endWith, follow, tellEnd } from './follow.ts';
import { fieldsOf, harmless, print, tableOf } from './output.ts';
import type { Server } from './remote.ts';
import { submitCommand } from './submit-command.ts';
import { count } from './values.ts';
import { statusCell } from './words.ts';

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
    .description('what ran, what runs, and why it failed')
    .addHelpText('after', '\nExample:\n  syncrator jobs show 7');
  jobs
    .command('list', { isDefault: true })
    .description('the newest jobs')
    .option('-s, --status <words>', 'only these, separated by commas: running,failed')
    .option('-t, --target <target>', 'only of this target')
    .option('-e, --env <env>', 'only of this environment')
    .option('-a, --action <words>', 'only these actions, separated by commas')
    .option('--active', 'only what has not ended')
    .option('-n, --limit <count>', 'how many, 1 to 100', count, 20)
    .addHelpText('after', '\nExample:\n  syncrator jobs list --status failed --env prd')
    .action((options: ListOptions, command: Command) => list(contextOf(command), options));
  jobs
    .command('show <id>')
    .description('one job: its steps, progress, and why it failed')
    .addHelpText('after', '\nExample:\n  syncrator jobs show 7 --output yaml')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<JobJson>('GET', `/jobs/${idOf(id)}`);
      print(format, body, () => describe(body));
    });
  jobs
    .command('logs <id>')
    .description('what its program printed, of the last step')
    .option('-f, --follow', 'go on until the job ends')
    .option('--all', 'of all steps and attempts, one after the other')
    .addHelpText('after', '\nExample:\n  syncrator jobs logs -f 7\n  syncrator jobs logs --all 7 > job-7.log')
    .action(async (id: string, options: { follow?: true; all?: true }, command: Command) => {
      const { server } = contextOf(command);
      if (options.follow && options.all) throw new CliFailure('--follow and --all do not go together');
      if (options.follow) return await followLog(server, idOf(id));
      const route = `/jobs/${idOf(id)}/logs${options.all ? '?download' : ''}`;
      process.stdout.write(harmless(await server.text(route)));
    });
  jobs
    .command('cancel <id>')
    .description('end it: its pod gets SIGTERM, and the target is free once nothing of it runs')
    .option('-w, --wait', 'wait until nothing of it runs')
    .addHelpText('after', '\nExample:\n  syncrator jobs cancel 7 --wait')
    .action(async (id: string, options: { wait?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const asked = (await server.call<JobJson>('DELETE', `/jobs/${idOf(id)}`)).body;
      const job = options.wait && !isFinal(asked.status) ? await follow(server, asked.id) : asked;
      print(format, job, () => tellEnd(job));
    });
  jobs
    .command('resume [id]')
    .description('go on where a failed job stopped, as a new job')
    .option('--all', 'every target whose last job failed')
    .option('-f, --follow', 'show its progress until it ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator jobs resume 7 --follow\n  syncrator jobs resume --all')
    .action((id: string | undefined, options: ResumeOptions, command: Command) =>
      resume(contextOf(command), id, options),
    );
  submitCommand(jobs, contextOf);
  jobs
    .command('watch <id>')
    .description('show its progress until it ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator jobs watch 7')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const job = await follow(server, idOf(id));
      print(format, job, () => tellEnd(job));
      endWith(job);
    });
}

async function resume(
  { server, format }: Context,
  id: string | undefined,
  options: ResumeOptions,
): Promise<void> {
  if ((id === undefined) === (options.all === undefined))
    throw new CliFailure('name one failed job, or --all: syncrator jobs resume 7');
  if (id === undefined) {
    const { body } = await server.call<ResumedJson[]>('POST', '/jobs/resume-all');
    const rows = body.map(({ resumes, job_id: by, msg }) => [
      String(resumes),
      by === null ? '' : String(by),
      msg,
    ]);
    print(format, body, () => tableOf(['FAILED', 'RESUMED BY', ''], rows, "no target's last job has failed"));
    return;
  }
  const { body } = await server.call<JobJson>('POST', `/jobs/${idOf(id)}/resume`);
  const job = options.follow ? await follow(server, body.id) : body;
  print(format, job, () => tellEnd(job));
  if (options.follow) endWith(job);
}

async function list({ server, format }: Context, options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit: String(options.limit) });
  if (options.status !== undefined) query.set('status', options.status);
  if (options.action !== undefined) query.set('operation', options.action);
  if (options.target !== undefined) query.set('target', options.target);
  if (options.env !== undefined) query.set('env', options.env);
  if (options.active) query.set('ignoreCompleted', 'true');
  const { body, next } = await server.call<JobJson[]>('GET', `/jobs?${query.toString()}`);
  const rows = body.map((job) => [
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
  const heads = ['ID', 'STATUS', 'ACTION', 'TARGET', 'ENV', 'RECORDS', 'TOOK', 'ASKED FOR', 'WHY'];
  const more = next === undefined ? '' : '\nthere are older ones: --limit, or narrow it down';
  print(format, body, () => tableOf(heads, rows, 'no job fits') + more);
}

/** The first few; `--output json` has them all. */
function failedItems({ failed_items: items }: JobJson): string | null {
  if (items.length === 0) return null;
  const first = items.slice(0, 5).map(({ id, why }) => `${id} (${why})`);
  return `${items.length}: ${first.join(', ')}${items.length > first.length ? ', …' : ''}`;
}

function describe(job: JobJson): string {
  const steps = job.steps.map((step) => [
    String(step.step + 1),
    String(step.attempt),
    step.action,
    step.outcome ?? 'under way',
    step.started_at === null
      ? ''
      : duration(
          (Date.parse(step.ended_at ?? new Date().toISOString()) - Date.parse(step.started_at)) / 1000,
        ),
    bytesOf(step.log_bytes),
    step.name,
  ]);
  const { parameters } = job;
  return [
    tellEnd(job),
    fieldsOf({
      'asked for': `${job.created_at} by ${job.requested_by} (${job.trigger})`,
      'cancelled by': job.cancel_requested_by,
      waiting: job.status_detail,
      'failed items': failedItems(job),
      parameters: `${parameters.action} ${parameters.options} (tag ${parameters.is_tag})`,
      temporal: job.temporal_url,
    }),
    '',
    tableOf(['STEP', 'TRY', 'ACTION', 'OUTCOME', 'TOOK', 'LOG', 'NAME'], steps, 'no step has begun'),
  ].join('\n');
}

async function followLog(server: Server, id: number): Promise<void> {
  const gone = new AbortController();
  const onInterrupt = () => gone.abort();
  process.once('SIGINT', onInterrupt);
  const open = (http: Http, follow: FollowOptions) => followEvents(http, `/jobs/${id}/logs?follow`, follow);
  try {
    for await (const { event, data } of server.live(gone.signal, open))
      if (event === 'log') process.stdout.write(harmless((data as LogEvent).text));
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  if (gone.signal.aborted) throw new CliFailure(`Job ${id} is left alone.`, EXIT.interrupted);
}

/** @throws CliFailure for what is no number of a job */
function idOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new CliFailure(`'${text}' is no job's id, such as 7`);
  return Number(text);
}
