/** `/jobs`: lists, shows and cancels jobs, and ends a cancelling job on a lost node. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { requestForceDelete } from '../../db/jobs/cancel.ts';
import { databaseTime } from '../../db/clock.ts';
import { type JobFilter, listJobViews } from '../../db/views/job-pages.ts';
import { findJobScope, readJobView } from '../../db/views/job-views.ts';
import type { Db } from '../../db/schema.ts';
import type { Role } from '../../domain/permission.ts';
import { cancel } from '../../engine/cancel.ts';
import { checkMay } from '../auth/access.ts';
import { principalAndOrigin } from '../auth/request-origin.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { idParam, text, time, yesOrNo } from '../http/fields.ts';
import { toJob } from './job-json.ts';
import { CANCELLING_JOB, DELETED_JOB } from './job-example.ts';
import { type JobJson, jobSchema } from './job-schema.ts';
import { decodeCursor, onePage, pageFields, pageRange } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import { startDeps } from './submit-request.ts';
import { defineRoute, subApp } from '../http/route.ts';

const WORDS = /^[A-Za-z0-9_-]{1,40}(,[A-Za-z0-9_-]{1,40})*$/;
/** A comma-separated list, a repeated field, or both. */
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
  cursor: text(200).optional().describe('Opaque cursor from a Link header.'),
  status: words
    .optional()
    .describe(
      'Only jobs with these statuses, reasons of waiting jobs, or phases of external executors; comma-separated or repeated.',
    ),
  operation: words.optional().describe('Only jobs with these ACTION_NAMEs; comma-separated or repeated.'),
  env: text(40).optional().openapi({ description: 'Only jobs of this environment.', example: 'qas' }),
  ignoreCompleted: yesOrNo.optional().describe('Hide all jobs that have ended.'),
  since: time.optional().describe('Only jobs created at or after this time.'),
  until: time.optional().describe('Only jobs created before this time.'),
};
const listQuery = z.strictObject({
  ...jobQueryFields,
  target: text(100).optional().openapi({ description: 'Only jobs of this target.', example: 'avo' }),
});
export type JobQuery = z.infer<typeof listQuery>;

const listRoute = defineRoute({
  method: 'get',
  path: '/jobs',
  tag: 'jobs',
  summary: 'List jobs, newest first',
  access: 'read',
  query: listQuery,
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(jobSchema) },
  },
});

const showRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}',
  tag: 'jobs',
  summary: 'Show a job',
  description: 'Returns the job with its steps, progress, diagnosis and sync job.',
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
    'Cancels the job. Unstarted and external jobs end immediately; a finished job is unchanged; otherwise the pod is stopped first.',
  access: 'operator',
  verb: 'cancel',
  touches: 'jobs',
  params: idParam,
  answers: {
    200: { description: 'The job has ended, now or before.', schema: jobSchema, example: DELETED_JOB },
    202: { description: 'The job is being cancelled.', schema: jobSchema, example: CANCELLING_JOB },
  },
  errors: [noJob(7)],
});

const forceRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/force-delete',
  tag: 'jobs',
  summary: 'End a cancelling job whose node is lost',
  description:
    'Ends a job in status `cancelling` without waiting for its pod. Use it only if the node is lost for good.',
  access: 'admin',
  verb: 'force-delete',
  touches: 'jobs',
  params: idParam,
  answers: {
    202: { description: 'The worker will end the job.', schema: jobSchema, example: CANCELLING_JOB },
  },
  errors: [noJob(7), notCancelling({ id: 7, status: 'running' })],
});

export function jobs(deps: ApiDeps) {
  const app = subApp();
  app.openapi(listRoute, async (c) => c.json(await listJobs(c, c.var.db, deps, c.req.valid('query'))));
  app.openapi(showRoute, async (c) => c.json(await readJob(c.var.db, deps, c.req.valid('param').id)));
  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'operator', id);
    await cancel(startDeps(c, deps), { id, ...principalAndOrigin(c) });
    const job = await readJob(c.var.db, deps, id);
    return c.json(job, job.status === 'cancelling' ? 202 : 200);
  });
  app.openapi(forceRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'admin', id);
    const done = await requestForceDelete(c.var.db, { id, ...principalAndOrigin(c) });
    const job = await readJob(c.var.db, deps, id);
    if (!done) throw notCancelling(job);
    return c.json(job, 202);
  });
  return app;
}

/**
 * One page of jobs, for every listing; sets the `Link` header.
 * @param options.orNaming includes jobs that name the target in their manifest
 */
export async function listJobs(
  c: Parameters<typeof onePage>[0],
  db: Db,
  deps: ApiDeps,
  query: JobQuery,
  options: { orNaming?: boolean } = {},
): Promise<JobJson[]> {
  if (query.cursor !== undefined && query.page !== undefined)
    throw new Problem(400, 'bad_query', 'query: page and cursor cannot be combined; send one of them');
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

/** Checks the caller's permission for a job. @throws Problem 404; 403 if its limits exclude the job */
export async function checkMayTouch(c: Context<ApiEnv>, role: Role, id: number): Promise<void> {
  const touched = await findJobScope(c.var.db, id);
  if (!touched) throw noJob(id);
  checkMay(c, { role, of: touched });
}

/** Reads a job as the answer shows it. @throws Problem 404 */
export async function readJob(db: Db, deps: ApiDeps, id: number): Promise<JobJson> {
  const view = await readJobView(db, id);
  if (!view) throw noJob(id);
  return toJob(view, deps.config, databaseTime(deps.db));
}

export function noJob(id: number): Problem {
  return new Problem(404, 'unknown_job', `there is no job ${id}`);
}

function notCancelling({ id, status }: Pick<JobJson, 'id' | 'status'>): Problem {
  return new Problem(
    409,
    'not_cancelling',
    `job ${id} is ${status}; only a job in status cancelling can be force-deleted`,
  );
}
