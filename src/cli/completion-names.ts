/** The names that the server knows, for completion: those that a group of commands takes, if they come at once. */
import type { JobJson } from '../api/job-schema.ts';
import type { SchedulesJson, TargetJson } from '../client/client.ts';
import { statusOf } from '../client/words.ts';
import { isFinal } from '../domain/status.ts';
import { serverOf } from './context.ts';

/** Whoever presses a key waits no longer than this. */
const PATIENCE_MS = 1_000;
/** Bash expands what it is offered (compgen -W): nothing that means anything to a shell is offered. */
const SAFE = /^[\w.:-]+$/;

export type Start = { readonly action: string; readonly name: string; readonly env: string };

export type Names = {
  /** As they stand in the routes of starts, which are the names of params files. */
  readonly starts: readonly Start[];
  /** As jobs have them. */
  readonly targets: readonly { readonly name: string; readonly envs: readonly string[] }[];
  readonly schedules: readonly { readonly id: string; readonly what: string }[];
  readonly jobs: readonly { readonly id: string; readonly what: string; readonly isActive: boolean }[];
};

/**
 * What the server does not answer in time, or to us, is empty: a completion has nowhere to tell why.
 * @param group the command whose arguments are typed; undefined while it is not
 * @param words may name the server by --url
 */
export async function askNames(
  group: string | undefined,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Names> {
  const get = async <T>(route: string, otherwise: T): Promise<T> => {
    try {
      const server = serverOf(environment, {
        url: urlIn(words),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return (await server.call<T>('GET', route)).body;
    } catch {
      return otherwise; // see above
    }
  };
  const wants = (...groups: string[]) => group !== undefined && groups.includes(group);
  const [targets, { schedules }, jobs] = await Promise.all([
    wants('sync', 'delta', 'delete', 'diff', 'rollback', 'run', 'targets', 'jobs')
      ? get<TargetJson[]>('/targets', [])
      : [],
    wants('schedules')
      ? get<Pick<SchedulesJson, 'schedules'>>('/schedules', { schedules: [] })
      : { schedules: [] },
    wants('jobs') ? get<JobJson[]>('/jobs?limit=50', []) : [],
  ]);
  return {
    starts: targets.flatMap(startsOf).filter(({ name, env }) => SAFE.test(name) && SAFE.test(env)),
    targets: targets
      .map(({ name, environments }) => ({ name, envs: environments.map(({ env }) => env) }))
      .filter(({ name, envs }) => [name, ...envs].every((word) => SAFE.test(word))),
    schedules: schedules
      .filter(({ id }) => SAFE.test(id))
      .map(({ id, schedule, timezone }) => ({ id, what: `${schedule} (${timezone})` })),
    jobs: jobs.map((job) => ({
      id: String(job.id),
      what: `${statusOf(job)}: ${job.job_type} of ${job.target} in ${job.env}`,
      isActive: !isFinal(job.status),
    })),
  };
}

function startsOf({ environments }: TargetJson): Start[] {
  return environments.flatMap(({ actions }) =>
    actions.flatMap(({ path }) => {
      if (path === null) return [];
      const [, action = '', name = '', env = ''] = path.split('/');
      return [{ action, name, env }];
    }),
  );
}

function urlIn(words: readonly string[]): string | undefined {
  const at = words.indexOf('--url');
  return at === -1 ? words.find((word) => word.startsWith('--url='))?.slice('--url='.length) : words[at + 1];
}
