/** Starts a job and follows it, for every command that starts one. */
import type { Command } from 'commander';
import type { Client, QueuedStartJson, Start } from '../client/client.ts';
import type { Context } from './context.ts';
import { CliFailure } from '../terminal/failure.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import { fieldsOf, print } from '../terminal/output.ts';

export type StartOptions = { follow?: true; wait?: true; detach?: true };

/** Adds a command that starts a job of one target. */
export function starting(program: Command, name: string, what: string): Command {
  return followOptions(program.command(`${name} <target> <env>`).description(what));
}

/** Adds the options that say what to do while the started job runs. */
export function followOptions(command: Command): Command {
  return command
    .option('-f, --follow', 'show progress until the job ends (default on a terminal)')
    .option('-w, --wait', 'wait silently until it ends; exit code 2 if it fails')
    .option('-d, --detach', 'print the job id and exit (default elsewhere)');
}

type Way = 'follow' | 'wait' | 'detach';

/** Starts a job, then follows it, waits or detaches by the options. */
export async function start(
  context: Context,
  options: StartOptions,
  post: (api: Client) => Promise<Start>,
): Promise<void> {
  const way = wayOf(options);
  const answer = await context.server.call(post);
  if (answer.result === 'queued') return tellQueued(context, answer, options);
  const { job_id: id, deduplicated } = answer;
  await followStarted(context, way, { answer, id, isOld: deduplicated });
}

/** @throws CliFailure for a caller that asked to follow a job, since there is none yet */
function tellQueued(
  { format }: Context,
  answer: QueuedStartJson,
  { follow: shows, wait }: StartOptions,
): void {
  const { action_name: action, target, env, behind } = answer.next_start;
  const what = `${action} of ${target} in ${env} is queued behind job ${behind}`;
  const hint = `see it: syncrator next ${target} ${env}; cancel it: syncrator next ${target} ${env} --cancel`;
  if (shows || wait) throw new CliFailure(`${what}, so there is no job to follow yet; ${hint}`);
  print(format, answer, () => fieldsOf({ queued: what, '': { text: hint, look: 'dim' } }));
}

/** @throws CliFailure for options that exclude each other */
export function wayOf(options: StartOptions): Way {
  const chosen = (['follow', 'wait', 'detach'] as const).filter((name) => options[name]);
  if (chosen.length > 1) throw new CliFailure(`--${chosen.join(' and --')} exclude each other`);
  return chosen[0] ?? (process.stdout.isTTY ? 'follow' : 'detach');
}

/**
 * @param of.answer printed as JSON and YAML when it detaches
 * @param of.isOld true if the same job was active before
 */
export async function followStarted(
  { server, format }: Context,
  way: Way,
  { answer, id, isOld = false }: { answer: unknown; id: number; isOld?: boolean },
): Promise<void> {
  if (way === 'detach') {
    const hint = isOld ? 'the same job is already active' : `watch it: syncrator jobs watch ${id}`;
    print(format, answer, () => fieldsOf({ job: String(id), '': { text: hint, look: 'dim' } }));
    return;
  }
  const job = await follow(server, id, { quiet: way === 'wait' });
  print(format, job, () => summaryOf(job));
  endWith(job);
}
