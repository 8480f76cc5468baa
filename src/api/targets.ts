/** `/targets` (alias `/api/products`): what can be run where, when it last succeeded, what runs now. */
import { z } from '@hono/zod-openapi';
import type { Db } from '../db/schema.ts';
import { listTargetStates, type TargetState } from '../db/target-states.ts';
import type { JobParams } from '../job-params.ts';
import type { ApiDeps } from './context.ts';
import { isoTime, pathName } from './fields.ts';
import { jobQueryFields, listJobs } from './jobs.ts';
import { jobSchema } from './job-schema.ts';
import { nearest } from '../domain/near.ts';
import { JOB_STATUSES, type JobStatus } from '../domain/status.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const shortJob = z.object({ id: z.int(), status: z.enum(JOB_STATUSES) });
const targetSchema = z
  .object({
    name: z.string(),
    environments: z.array(
      z.object({
        env: z.string(),
        actions: z.array(
          z.object({
            action: z.string(),
            path: z.string().nullable().describe('Null where POST /jobs alone takes it.'),
            schedule: z.string().nullable(),
          }),
        ),
        last_success_at: isoTime.nullable(),
        last_success_job_id: z.int().nullable(),
        active_job: shortJob.nullable(),
        last_job: shortJob.nullable(),
      }),
    ),
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
          active_job: null,
          last_job: { id: 7, status: 'completed' },
        },
      ],
    },
  });
export type TargetJson = z.infer<typeof targetSchema>;

/** The actions that have routes of their own. */
const WITH_PATH: readonly string[] = ['sync', 'delta', 'delete', 'diff'];

const pathParams = z.object({
  name: pathName.openapi({ param: { name: 'name', in: 'path' }, example: 'avo' }),
});

function routesBelow<const P extends '/targets' | '/api/products'>(path: P) {
  const common = { method: 'get', tag: 'targets', access: 'read' } as const;
  return {
    list: defineRoute({
      ...common,
      path,
      summary: 'All targets',
      answers: { 200: { description: 'By name.', schema: z.array(targetSchema) } },
    }),
    show: defineRoute({
      ...common,
      path: `${path}/{name}`,
      summary: 'One target',
      description: 'Also one that had no job yet, if its name fits a TARGET_PATTERN.',
      params: pathParams,
      answers: { 200: { description: 'The target.', schema: targetSchema } },
      errors: [noTarget('av', ['avo'])],
    }),
    jobs: defineRoute({
      ...common,
      path: `${path}/{name}/jobs`,
      summary: 'Its jobs, newest first',
      description: 'With those of other targets whose manifest names it (BUMP of a datastore).',
      params: pathParams,
      query: z.strictObject(jobQueryFields),
      answers: { 200: { description: 'A page; its Link header leads on.', schema: z.array(jobSchema) } },
      errors: [noTarget('av', ['avo'])],
    }),
  };
}

export function targets(deps: ApiDeps) {
  const app = subApp();
  for (const path of ['/targets', '/api/products'] as const) {
    const routes = routesBelow(path);
    app.openapi(routes.list, async (c) => c.json(allTargets(deps.params, await listTargetStates(c.var.db))));
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

/** Everything declared, and what had jobs once and is declared no more. */
function allTargets(params: JobParams, states: readonly TargetState[]): TargetJson[] {
  const declared = params.files.filter((f) => f.targetPattern === null);
  return grouped(params, [...declared, ...states], states);
}

/** One of them, which may also be one that fits a TARGET_PATTERN and had no job yet. */
async function targetOf(db: Db, params: JobParams, name: string): Promise<TargetJson | undefined> {
  const states = await listTargetStates(db, name);
  const declared = params.files.filter((f) => f.targetPattern === null && f.target === name);
  const envs = new Set(params.files.map(({ env }) => env));
  const fitting = [...envs].flatMap((env) =>
    params.filesOf({ env, target: name }).filter((f) => f.targetPattern !== null),
  );
  return grouped(params, [...declared, ...states, ...fitting], states)[0];
}

/** By target, each with its environments. */
function grouped(
  params: JobParams,
  keys: readonly { readonly env: string; readonly target: string }[],
  states: readonly TargetState[],
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
      active_job: shortened(state?.active_job_id, state?.active_status),
      last_job: shortened(state?.last_job_id, state?.last_status),
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

/** By TARGET, else by the name of a file. @throws Problem 404 naming near matches */
async function findTarget(db: Db, params: JobParams, name: string): Promise<TargetJson> {
  const found = await targetOf(db, params, name);
  if (found) return found;
  const ofFile = params.files.find((f) => f.name === name)?.target;
  const named = ofFile === undefined ? undefined : await targetOf(db, params, ofFile);
  if (named) return named;
  const all = allTargets(params, await listTargetStates(db));
  throw noTarget(name, [...all.map((t) => t.name), ...params.files.map((f) => f.name)]);
}

function noTarget(name: string, known: readonly string[]): Problem {
  const near = nearest(name, known);
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  return new Problem(404, 'unknown_target', `there is no target '${name.slice(0, 80)}'${meant}`);
}
