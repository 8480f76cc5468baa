/** `/jobs`: listing, showing, cancelling, and the last resort for a job on a lost node. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { requestForceDelete } from '../db/cancel.ts';
import { databaseTime } from '../db/clock.ts';
import { type JobFilter, listJobViews } from '../db/job-pages.ts';
import { findTouched, readJobView } from '../db/job-views.ts';
import type { Db } from '../db/schema.ts';
import type { Role } from '../domain/grant.ts';
import { cancel } from '../temporal/cancel.ts';
import { checkMay } from './access.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { idParam, text, time, yesOrNo } from './fields.ts';
import { toJob } from './job-json.ts';
import { CANCELLING_JOB, DELETED_JOB } from './job-example.ts';
import { type JobJson, jobSchema } from './job-schema.ts';
import { decodeCursor, onePage, pageFields, pageRange } from './paging.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const WORDS = /^[A-Za-z0-9_-]{1,40}(,[A-Za-z0-9_-]{1,40})*$/;
/** A comma list, or the field repeated, or both. */
const words = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat())
  .refine((list) => list.every((part) => WORDS.test(part)), 'must be words of a-z, 0-9, - and _')
  .transform((list) => list.flatMap((part) => part.split(',')))
  .openapi({
    type: 'array',
    items: { type: 'string', pattern: WORDS.source },
    minItems: 1,
    example: ['running,failed'],
  });

export const jobQueryFields = {
  ...pageFields,
  cursor: text(200).optional().describe('As the Link header gave it; opaque.'),
  status: words
    .optional()
    .describe(
      'Statuses, or reasons of waiting ones, or words of external executors; comma list or repeated.',
    ),
  operation: words.optional().describe('Names of actions; comma list or repeated.'),
  env: text(40).optional().openapi({ example: 'qas' }),
  ignoreCompleted: yesOrNo.optional().describe('Hides every final job.'),
  since: time.optional().describe('Asked for at or after.'),
  until: time.optional().describe('Asked for before.'),
};
const listQuery = z.strictObject({
  ...jobQueryFields,
  target: text(100).optional().openapi({ example: 'avo' }),
});
export type JobQuery = z.infer<typeof listQuery>;

const listRoute = defineRoute({
  method: 'get',
  path: '/jobs',
  tag: 'jobs',
  summary: 'Jobs, newest first',
  access: 'read',
  query: listQuery,
  answers: { 200: { description: 'A page; its Link header leads on.', schema: z.array(jobSchema) } },
});

const showRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}',
  tag: 'jobs',
  summary: 'One job with its steps, progress, diagnosis and sync job',
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'The job.', schema: jobSchema } },
  errors: [noJob(7)],
});

const cancelRoute = defineRoute({
  method: 'delete',
  path: '/jobs/{id}',
  tag: 'jobs',
  summary: 'Cancel a job',
  description:
    'A job never started ends at once, and so does one of RUNNER=external; a final one stays as it is; else its pod is ended first.',
  access: 'operator',
  verb: 'cancel',
  touches: 'jobs',
  params: idParam,
  answers: {
    200: { description: 'It has ended, now or before.', schema: jobSchema, example: DELETED_JOB },
    202: { description: 'It is being cancelled.', schema: jobSchema, example: CANCELLING_JOB },
  },
  errors: [noJob(7)],
});

const forceRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/force-delete',
  tag: 'jobs',
  summary: 'Give up on the pod of a cancelling job whose node is lost',
  access: 'admin',
  verb: 'force-delete',
  touches: 'jobs',
  params: idParam,
  answers: { 202: { description: 'The worker acts on it.', schema: jobSchema, example: CANCELLING_JOB } },
  errors: [noJob(7), notCancelling({ id: 7, status: 'running' })],
});

export function jobs(deps: ApiDeps) {
  const app = subApp();
  app.openapi(listRoute, async (c) => c.json(await listJobs(c, c.var.db, deps, c.req.valid('query'))));
  app.openapi(showRoute, async (c) => c.json(await readJob(c.var.db, deps, c.req.valid('param').id)));
  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'operator', id);
    await cancel({ ...deps, db: c.var.db, log: c.var.log }, { id, ...callerOf(c) });
    const job = await readJob(c.var.db, deps, id);
    return c.json(job, job.status === 'cancelling' ? 202 : 200);
  });
  app.openapi(forceRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'admin', id);
    const done = await requestForceDelete(c.var.db, { id, ...callerOf(c) });
    const job = await readJob(c.var.db, deps, id);
    if (!done) throw notCancelling(job);
    return c.json(job, 202);
  });
  return app;
}

/**
 * One page of jobs as every listing of jobs shows it; sets the `Link` header.
 * @param options.orNaming with the jobs of the target those that name it in their manifest
 */
export async function listJobs(
  c: Parameters<typeof onePage>[0],
  db: Db,
  deps: ApiDeps,
  query: JobQuery,
  options: { orNaming?: boolean } = {},
): Promise<JobJson[]> {
  if (query.cursor !== undefined && query.page !== undefined)
    throw new Problem(400, 'bad_query', 'query: page and cursor exclude each other');
  const filter: JobFilter = {
    statuses: query.status,
    actions: query.operation,
    target: query.target,
    orNaming: options.orNaming,
    env: query.env,
    hideFinal: query.ignoreCompleted === true,
    since: query.since,
    until: query.until,
    before: query.cursor === undefined ? undefined : decodeCursor(query.cursor),
  };
  const views = await listJobViews(db, filter, pageRange(query));
  return onePage(c, views, { ...query, cursorOf: (view) => view.id }).map((view) =>
    toJob(view, deps.config, databaseTime(deps.db)),
  );
}

/** @throws Problem 404; 403 where the limits of who asks leave the job out */
export async function checkMayTouch(c: Context<ApiEnv>, role: Role, id: number): Promise<void> {
  const touched = await findTouched(c.var.db, id);
  if (!touched) throw noJob(id);
  checkMay(c, role, touched);
}

/** @throws Problem 404 */
export async function readJob(db: Db, deps: ApiDeps, id: number): Promise<JobJson> {
  const view = await readJobView(db, id);
  if (!view) throw noJob(id);
  return toJob(view, deps.config, databaseTime(deps.db));
}

export function noJob(id: number): Problem {
  return new Problem(404, 'unknown_job', `there is no job ${id}`);
}

function notCancelling({ id, status }: Pick<JobJson, 'id' | 'status'>): Problem {
  return new Problem(409, 'not_cancelling', `job ${id} is ${status}; only a cancelling job is force-deleted`);
}
