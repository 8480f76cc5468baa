/** `PUT /jobs/:id`: what the executor of a job of RUNNER=external says of it. */
import { z } from '@hono/zod-openapi';
import { tellOfExternal } from '../db/external.ts';
import { NOT_EXECUTORS_WORDS } from '../domain/external.ts';
import { shareOf } from '../domain/log-chunks.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps } from './context.ts';
import { idParam, text } from './fields.ts';
import { VALIDATING_JOB } from './job-example.ts';
import { type JobJson, jobSchema } from './job-schema.ts';
import { checkMayTouch, noJob, readJob } from './jobs.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const wordSchema = z
  .strictObject({
    status: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9, - and _')
      .refine(
        (word) => !NOT_EXECUTORS_WORDS.includes(word),
        'is nothing that an executor says; DELETE /jobs/:id cancels',
      )
      .openapi({ pattern: `^(?!(${NOT_EXECUTORS_WORDS.join('|')})$)[A-Za-z0-9_-]{1,40}$` })
      .optional()
      .describe("The executor's own word for what it is at; `completed` and `failed` end the job."),
    description: text(4096).optional().describe('What the job is about; of a failure, why.'),
    log: text(4096, 1).optional().describe('A line for its log.'),
  })
  .refine(
    ({ status, description, log }) => [status, description, log].some((part) => part !== undefined),
    'needs status, description or log',
  )
  .openapi('ExecutorsWord', {
    minProperties: 1,
    example: { status: 'validating', log: 'Started validating.' },
  });
export type ExecutorsWord = z.infer<typeof wordSchema>;

const updateRoute = defineRoute({
  method: 'put',
  path: '/jobs/{id}',
  tag: 'jobs',
  summary: "An external executor's word on its job",
  description:
    'The first one begins the job, also during maintenance. `status` is kept as its `phase`, which the filter `status` of ' +
    'GET /jobs matches too, so that an executor finds its jobs again. Each word is a line or two of its log.',
  access: 'operator',
  verb: 'update',
  touches: 'jobs',
  params: idParam,
  json: wordSchema,
  answers: { 200: { description: 'The job.', schema: jobSchema, example: VALIDATING_JOB } },
  errors: [noJob(7), notExternal({ id: 7, runner: 'process' }), isOver({ id: 7, status: 'deleted' })],
});

export function external(deps: ApiDeps) {
  const app = subApp();
  app.openapi(updateRoute, async (c) => {
    const { id } = c.req.valid('param');
    await checkMayTouch(c, 'operator', id);
    const told = await tellOfExternal(c.var.db, {
      id,
      ...callerOf(c),
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
  const who = `job ${id} is run by the ${runner} runner, which alone says how it goes`;
  return new Problem(409, 'not_external', `${who}; only jobs of RUNNER=external are updated`);
}

function isOver({ id, status }: Pick<JobJson, 'id' | 'status'>): Problem {
  return new Problem(
    409,
    'over',
    `job ${id} is ${status}: nothing more can be said of it; stop working at it`,
  );
}
