/** `/targets` (alias `/api/products`): targets with their environments, declared actions and last jobs. */
import { z } from '@hono/zod-openapi';
import type { Db } from '../db/schema.ts';
import { listNext, type NextStart } from '../db/jobs/next-starts.ts';
import { listTargetStates, type TargetState } from '../db/views/target-states.ts';
import type { JobParams } from '../job-params/load.ts';
import type { ApiDeps } from './context.ts';
import { isoTime, orNull, pathName } from './http/fields.ts';
import { jobQueryFields, listJobs } from './jobs/jobs.ts';
import { jobSchema } from './jobs/job-schema.ts';
import { nextStartJson, nextStartSchema } from './jobs/next-start.ts';
import { DECLARED_ACTIONS } from '../domain/action.ts';
import { didYouMean } from '../domain/closest-match.ts';
import { JOB_STATUSES, type JobStatus } from '../domain/status.ts';
import { Problem } from './http/problem.ts';
import { defineRoute, subApp } from './http/route.ts';

const jobReference = z
  .object({
    id: z.int().describe('The id of the job.'),
    status: z.enum(JOB_STATUSES).describe('Its status.'),
  })
  .openapi('JobReference');
const targetSchema = z
  .object({
    name: z.string().describe('The name of the target.'),
    environments: z
      .array(
        z.object({
          env: z.string().describe('The environment.'),
          actions: z.array(
            z.object({
              action: z.string().describe('The ACTION_NAME.'),
              path: z.string().nullable().describe('Path that starts it; null if only POST /jobs does.'),
              schedule: z.string().nullable().describe('Id of its schedule; null if it has none.'),
            }),
          ),
          last_success_at: isoTime.nullable().describe('When a job last completed; null if none did.'),
          last_success_job_id: z
            .int()
            .nullable()
            .describe('The job that last completed; rollbacks, their previews and take-overs do not count.'),
          watermark: isoTime
            .nullable()
            .describe(
              "The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything, or no job reported one.",
            ),
          listing: z
            .enum(['complete', 'unproven'])
            .nullable()
            .describe(
              '`complete`: the last listing of the source is proven complete. `unproven`: evidence is missing. Null if no job reported one.',
            ),
          removals_fresh_at: isoTime
            .nullable()
            .describe(
              'Removals are up to date as of then: when the newest job with a proven listing began to read, of those before the first record that is held now was missed. Null if no job listed everything since the last rollback.',
            ),
          removals_listed_by: z
            .int()
            .nullable()
            .describe('The job whose listing that is; of an applied plan, the job that planned.'),
          active_job: orNull(jobReference).describe('The job that occupies the target; null if none does.'),
          last_job: orNull(jobReference).describe('The newest job; null if there was none.'),
          next_start: orNull(nextStartSchema).describe(
            'The start that is remembered until the target is free (QUEUE=one); null if none is.',
          ),
        }),
      )
      .describe('Environments of the target, by name.'),
  })
  .openapi('Target', {
    example: {
      name: 'avo',
      environments: [
        {
          env: 'qas',
          actions: [{ action: 'sync', path: '/sync/avo/qas', schedule: null }],
          last_success_at: '2026-11-22T01:16:41.000Z',
          last_success_job_id: 7,
          watermark: '2026-11-22T00:00:00.000Z',
          listing: 'complete',
          removals_fresh_at: '2026-11-22T01:00:03.000Z',
          removals_listed_by: 7,
          active_job: null,
          last_job: { id: 7, status: 'completed' },
          next_start: null,
        },
      ],
    },
  });
export type TargetJson = z.infer<typeof targetSchema>;

/** Actions with their own routes. */
const WITH_PATH: readonly string[] = DECLARED_ACTIONS;

const pathParams = z.object({
  name: pathName.openapi({
    param: { name: 'name', in: 'path' },
    description: 'The name of the target.',
    example: 'avo',
  }),
});

function routesBelow<const P extends '/targets' | '/api/products'>(path: P) {
  const common = { method: 'get', tag: 'targets', access: 'read' } as const;
  return {
    list: defineRoute({
      ...common,
      path,
      summary: 'List all targets',
      answers: { 200: { description: 'Targets, by name.', schema: z.array(targetSchema) } },
    }),
    show: defineRoute({
      ...common,
      path: `${path}/{name}`,
      summary: 'Show a target',
      description: 'Also shows a target without jobs, if its name matches a TARGET_PATTERN.',
      params: pathParams,
      answers: { 200: { description: 'The target.', schema: targetSchema } },
      errors: [noTarget('av', ['avo'])],
    }),
    jobs: defineRoute({
      ...common,
      path: `${path}/{name}/jobs`,
      summary: 'List the jobs of a target, newest first',
      description: 'Includes jobs of other targets whose manifest names this one (BUMP of a datastore).',
      params: pathParams,
      query: z.strictObject(jobQueryFields),
      answers: {
        200: { description: 'One page; the Link header names the next page.', schema: z.array(jobSchema) },
      },
      errors: [noTarget('av', ['avo'])],
    }),
  };
}

export function targets(deps: ApiDeps) {
  const app = subApp();
  for (const path of ['/targets', '/api/products'] as const) {
    const routes = routesBelow(path);
    app.openapi(routes.list, async (c) => c.json(allTargets(deps.params, await readStates(c.var.db))));
    app.openapi(routes.show, async (c) => {
      const { name } = c.req.valid('param');
      return c.json(await findTarget(c.var.db, deps.params, name));
    });
    app.openapi(routes.jobs, async (c) => {
      const { name } = c.req.valid('param');
      const { name: target } = await findTarget(c.var.db, deps.params, name);
      const query = { ...c.req.valid('query'), target };
      return c.json(await listJobs(c, c.var.db, deps, query, { orNaming: true }));
    });
  }
  return app;
}

type State = TargetState & { readonly next?: NextStart | undefined };

/** The states of targets by their jobs. A remembered start has an active job before it, or one a moment ago. */
async function readStates(db: Db, target?: string): Promise<State[]> {
  const [states, next] = [await listTargetStates(db, target), await listNext(db, target)];
  const nextOf = new Map(next.map((one) => [`${one.target} ${one.env}`, one]));
  return states.map((state) => ({ ...state, next: nextOf.get(`${state.target} ${state.env}`) }));
}

/** All declared targets, and undeclared ones that have jobs. */
function allTargets(params: JobParams, states: readonly State[]): TargetJson[] {
  const declared = params.files.filter((f) => f.targetPattern === null);
  return grouped(params, [...declared, ...states], states);
}

/** One target; also one without jobs whose name matches a TARGET_PATTERN. */
async function targetOf(db: Db, params: JobParams, name: string): Promise<TargetJson | undefined> {
  const states = await readStates(db, name);
  const declared = params.files.filter((f) => f.targetPattern === null && f.target === name);
  const envs = new Set(params.files.map(({ env }) => env));
  const fitting = [...envs].flatMap((env) =>
    params.filesOf({ env, target: name }).filter((f) => f.targetPattern !== null),
  );
  return grouped(params, [...declared, ...states, ...fitting], states)[0];
}

/** Groups keys by target, each with its environments. */
function grouped(
  params: JobParams,
  keys: readonly { readonly env: string; readonly target: string }[],
  states: readonly State[],
): TargetJson[] {
  const keyOf = ({ env, target }: (typeof keys)[number]) => `${target} ${env}`;
  const stateOf = new Map(states.map((state) => [keyOf(state), state]));
  const byName = new Map<string, TargetJson>();
  for (const key of [...new Set(keys.map(keyOf))].toSorted()) {
    const [name = '', env = ''] = key.split(' ');
    const target = byName.get(name) ?? { name, environments: [] };
    byName.set(name, target);
    const state = stateOf.get(key);
    target.environments.push({
      env,
      actions: actionsOf(params, name, env),
      last_success_at: state?.last_success_at?.toISOString() ?? null,
      last_success_job_id: state?.last_success_job_id ?? null,
      watermark: state?.watermark?.toISOString() ?? null,
      listing: state?.listing ?? null,
      removals_fresh_at: state?.removals_fresh_at?.toISOString() ?? null,
      removals_listed_by: state?.removals_listed_by ?? null,
      active_job: shortened(state?.active_job_id, state?.active_status),
      last_job: shortened(state?.last_job_id, state?.last_status),
      next_start: state?.next ? nextStartJson(state.next) : null,
    });
  }
  return [...byName.values()];
}

function actionsOf(params: JobParams, target: string, env: string) {
  const own = params.files.filter((f) => f.targetPattern === null && f.target === target && f.env === env);
  return (own.length > 0 ? own : params.filesOf({ env, target })).map((f) => {
    const action = f.parameters.action_name;
    const hasPath = WITH_PATH.includes(action) && f.actionParameters === null;
    return { action, path: hasPath ? `/${action}/${f.name}/${env}` : null, schedule: f.schedule?.id ?? null };
  });
}

function shortened(id: number | null | undefined, status: JobStatus | null | undefined) {
  return typeof id === 'number' && status ? { id, status } : null;
}

/** Finds a target by TARGET, else by the name of a file. @throws Problem 404 with the closest names */
async function findTarget(db: Db, params: JobParams, name: string): Promise<TargetJson> {
  const found = await targetOf(db, params, name);
  if (found) return found;
  const ofFile = params.files.find((f) => f.name === name)?.target;
  const named = ofFile === undefined ? undefined : await targetOf(db, params, ofFile);
  if (named) return named;
  const all = allTargets(params, await readStates(db));
  throw noTarget(name, [...all.map((t) => t.name), ...params.files.map((f) => f.name)]);
}

function noTarget(name: string, known: readonly string[]): Problem {
  return new Problem(
    404,
    'unknown_target',
    `there is no target '${name.slice(0, 80)}'${didYouMean(name, known)}`,
  );
}
