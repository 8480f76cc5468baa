/** `PUT /jobs/:id`: updates a job with RUNNER=external on behalf of its executor. */
import { z } from '@hono/zod-openapi';
import { recordExecutorUpdate } from '../../../db/jobs/executor-updates.ts';
import { RESERVED_STATUSES } from '../../../domain/executor-update.ts';
import { shareOf } from '../../../domain/log-chunks.ts';
import { principalAndOrigin } from '../../auth/request-origin.ts';
import type { ApiDeps } from '../../context.ts';
import { idParam, text } from '../../http/fields.ts';
import { VALIDATING_JOB } from '../../jobs/job-example.ts';
import { type JobJson, jobSchema } from '../../jobs/job-schema.ts';
import { checkMayTouch, noJob, readJob } from '../../jobs/jobs.ts';
import { Problem } from '../../http/problem.ts';
import { defineRoute, subApp } from '../../http/route.ts';

const wordSchema = z
  .strictObject({
    status: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9, - and _')
      .refine((word) => !RESERVED_STATUSES.includes(word), 'is reserved; use DELETE /jobs/:id to cancel')
      .openapi({ pattern: `^(?!(${RESERVED_STATUSES.join('|')})$)[A-Za-z0-9_-]{1,40}$` })
      .optional()
      .describe('The phase of the executor, in its own words; `completed` and `failed` end the job.'),
    description: text(4096).optional().describe('Purpose of the job; with `failed`, the reason.'),
    log: text(4096, 1).optional().describe('A line for the log of the job.'),
  })
  .refine(
    ({ status, description, log }) => [status, description, log].some((part) => part !== undefined),
    'needs status, description or log',
  )
  .openapi('ExecutorsWord', {
    minProperties: 1,
    example: { status: 'validating', log: 'Started validating.' },
  });

const updateRoute = defineRoute({
  method: 'put',
  path: '/jobs/{id}',
  tag: 'jobs',
  summary: 'Update a job of an external executor',
  description:
    'For jobs with RUNNER=external. The first update starts the job, also during maintenance. `status` becomes the `phase` ' +
    'of the job; the filter `status` of GET /jobs matches it too. Each update adds one or two lines to the log.',
  access: 'operator',
  verb: 'update',
  touches: 'jobs',
  params: idParam,
  json: wordSchema,
  answers: { 200: { description: 'The updated job.', schema: jobSchema, example: VALIDATING_JOB } },
  errors: [noJob(7), notExternal({ id: 7, runner: 'process' }), isOver({ id: 7, status: 'deleted' })],
});

export function external(deps: ApiDeps) {
  const app = subApp();
  app.openapi(updateRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'operator', id);
    const told = await recordExecutorUpdate(c.var.db, {
      id,
      ...principalAndOrigin(c),
      word: c.req.valid('json'),
      keep: shareOf(deps.config.logLimit),
    });
    if (told.kind === 'unknown') throw noJob(id);
    if (told.kind === 'not_external') throw notExternal(told.job);
    if (told.kind === 'final') throw isOver(told.job);
    return c.json(await readJob(c.var.db, deps, id));
  });
  return app;
}

function notExternal({ id, runner }: Pick<JobJson, 'id' | 'runner'>): Problem {
  const who = `job ${id} is run by the ${runner} runner`;
  return new Problem(409, 'not_external', `${who}; only jobs with RUNNER=external can be updated`);
}

function isOver({ id, status }: Pick<JobJson, 'id' | 'status'>): Problem {
  return new Problem(409, 'over', `job ${id} is ${status}: it takes no more updates; stop working on it`);
}
