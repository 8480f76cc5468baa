/** Asks the server for the names that a group of commands takes, for completion; gives up after a second. */
import type { Client, JobJson, TargetJson } from '../client/client.ts';
import { statusOf } from '../client/format.ts';
import { lossWords } from '../client/loss-format.ts';
import { planWords } from '../client/plan-format.ts';
import { TARGET_ACTIONS } from '../domain/action.ts';
import { isFinal } from '../domain/status.ts';
import { serverOf } from './context.ts';

/** The longest wait after a key press. */
const PATIENCE_MS = 1_000;
/** Bash and PowerShell insert words unquoted: words with characters special to a shell are not offered. */
const SAFE = /^[\w.:-]+$/;

export type Start = { readonly action: string; readonly name: string; readonly env: string };

export type Names = {
  /** The names in the routes that start jobs, which are those of params files. */
  readonly starts: readonly Start[];
  /** The names in the list of jobs. */
  readonly targets: readonly { readonly name: string; readonly envs: readonly string[] }[];
  readonly schedules: readonly { readonly id: string; readonly what: string }[];
  readonly jobs: readonly {
    readonly id: string;
    readonly what: string;
    readonly target: string;
    readonly isActive: boolean;
  }[];
  /** The sets of removals that wait for an answer. */
  readonly losses: readonly { readonly id: string; readonly what: string }[];
  readonly plans: readonly { readonly id: string; readonly what: string }[];
};

/**
 * Lists that the server does not give in time stay empty: a completion has nowhere to show an error.
 * @param group the command whose arguments are typed; undefined before it is known
 * @param words may name the server by --url
 */
export async function askNames(
  group: string | undefined,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Names> {
  const get = async <T>(ask: (api: Client) => Promise<T>): Promise<T | undefined> => {
    try {
      const server = serverOf(environment, {
        url: urlIn(words),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return await server.call(ask);
    } catch {
      return undefined; // documented above
    }
  };
  const wants = (...groups: string[]) => group !== undefined && groups.includes(group);
  const [
    targets = [],
    { schedules } = { schedules: [] },
    { jobs } = { jobs: [] },
    { losses } = { losses: [] },
    { plans } = { plans: [] },
  ] = await Promise.all([
    wants(
      ...TARGET_ACTIONS,
      'run',
      'story',
      'forget',
      'sink',
      'target',
      'connector',
      'targets',
      'jobs',
      'losses',
      'plan',
      'plans',
    )
      ? get((api) => api.listTargets())
      : undefined,
    wants('schedules') ? get((api) => api.listSchedules()) : undefined,
    wants('jobs', 'rollback') ? get((api) => api.listJobs({ limit: 50 })) : undefined,
    wants('losses') ? get((api) => api.listLosses({ limit: 50 })) : undefined,
    wants('plans') ? get((api) => api.listPlans({ limit: 50 })) : undefined,
  ]);
  return {
    starts: targets.flatMap(startsOf).filter(({ name, env }) => SAFE.test(name) && SAFE.test(env)),
    targets: targets
      .map(({ name, environments }) => ({ name, envs: environments.map(({ env }) => env) }))
      .filter(({ name, envs }) => [name, ...envs].every((word) => SAFE.test(word))),
    schedules: schedules
      .filter(({ id }) => SAFE.test(id))
      .map(({ id, schedule, timezone }) => ({ id, what: `${schedule} (${timezone})` })),
    jobs: jobs.map(jobName),
    losses: losses.map((loss) => ({ id: String(loss.id), what: lossWords(loss) })),
    plans: plans.map((plan) => ({ id: String(plan.id), what: `${plan.state}: ${planWords(plan)}` })),
  };
}

function jobName(job: JobJson): Names['jobs'][number] {
  return {
    id: String(job.id),
    target: job.target,
    what: `${statusOf(job)}: ${job.job_type} of ${job.target} in ${job.env}`,
    isActive: !isFinal(job.status),
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
