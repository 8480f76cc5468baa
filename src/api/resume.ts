/** `/jobs/:id/resume`, `/jobs/resume-all`: a new job that goes on where a failed one stopped. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { databaseTime } from '../db/clock.ts';
import { type JobView, readJobView } from '../db/job-views.ts';
import { AlreadyResumed, type JobRow, type Submitted } from '../db/submit.ts';
import { listTargetStates } from '../db/target-states.ts';
import { stepsToSkip } from '../domain/resume.ts';
import { pokeNew } from '../temporal/submit.ts';
import { checkMay } from './access.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { idParam } from './fields.ts';
import { idempotencyHeaders } from './idempotency.ts';
import { QUEUED_JOB } from './job-example.ts';
import { jobSchema } from './job-schema.ts';
import { noJob, readJob } from './jobs.ts';
import { notAllowed, Problem } from './problem.ts';
import { noteRefusedItems } from './refusals.ts';
import { defineRoute, subApp } from './route.ts';
import { accepted, SUBMIT_REFUSALS } from './start-answer.ts';
import { acceptRequest, submitDeps, submitRequest } from './submit-request.ts';

const RESUMED_JOB = { ...QUEUED_JOB, id: 8, resumes: 7, trigger: 'resume' };

const oneRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/resume',
  tag: 'jobs',
  summary: 'Go on where a failed job stopped',
  description:
    'A new job (`resumes`) with the parameters of the failed one. Steps that completed are left out, unless the last of ' +
    'them ended over an hour ago; the step that failed goes on from its last checkpoint, if its program has one.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: idParam,
  headers: idempotencyHeaders,
  answers: {
    200: {
      description: 'The same job is active already, by another request.',
      schema: jobSchema,
      example: { ...RESUMED_JOB, resumes: null, trigger: 'api' },
    },
    202: { description: 'The new job.', schema: jobSchema, example: RESUMED_JOB },
  },
  errors: [
    noJob(7),
    notFailed({ id: 7, status: 'completed' }),
    notOurs(7),
    alreadyResumed(7, { id: 8, action_name: 'sync', status: 'running' }),
    ...SUBMIT_REFUSALS,
  ],
});

const resumedSchema = z
  .array(
    z.object({
      resumes: z.int().describe('The failed job.'),
      job_id: z.int().nullable().describe('The job that goes on with it; null when it was refused.'),
      code: z.string().nullable().describe('Why it was refused.'),
      msg: z.string(),
    }),
  )
  .openapi('Resumed');

export type ResumedJson = z.infer<typeof resumedSchema>[number];

const allRoute = defineRoute({
  method: 'post',
  path: '/jobs/resume-all',
  tag: 'jobs',
  summary: 'Go on with every target whose last job failed',
  description:
    'One refusal keeps no other from going on. Repeating it is harmless: what goes on already is left alone. An ' +
    'Idempotency-Key has no meaning here.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  answers: {
    200: {
      description: 'What became of each.',
      schema: resumedSchema,
      example: [
        { resumes: 7, job_id: 8, code: null, msg: 'resumed' },
        { resumes: 5, job_id: null, code: 'busy', msg: "target 'avo' in env 'prd' is held by job 9" },
      ],
    },
  },
});

export function resume(deps: ApiDeps) {
  const app = subApp();
  app.openapi(oneRoute, async (c) => {
    const { id } = c.req.valid('param');
    const submitted = await resumeJob(c, deps, id, submitRequest);
    const job = await readJob(c.var.db, deps, accepted(submitted).id);
    return c.json(job, submitted.kind === 'deduplicated' ? 200 : 202, { location: `/jobs/${job.id}` });
  });
  app.openapi(allRoute, async (c) => {
    const answer: z.infer<typeof resumedSchema> = [];
    const created: JobRow[] = [];
    for (const { last_job_id: id, last_status: status } of await listTargetStates(c.var.db)) {
      if (id === null || status !== 'failed') continue;
      try {
        const submitted = await resumeJob(c, deps, id, acceptRequest);
        const job = accepted(submitted);
        if (submitted.kind === 'created') created.push(job);
        answer.push({ resumes: id, job_id: job.id, code: null, msg: 'resumed' });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        answer.push({ resumes: id, job_id: null, code: error.code, msg: error.message });
      }
    }
    await pokeNew(submitDeps(c, deps), created);
    const items = answer.filter(({ job_id: id }) => id === null);
    await noteRefusedItems(c, {
      verb: 'start',
      items: items.map(({ resumes, msg }) => ({ item: resumes, msg })),
    });
    return c.json(answer);
  });
  // Or it would be a job of that name.
  app.all(allRoute.path, (c) => {
    throw notAllowed(c, ['POST']);
  });
  return app;
}

/** @throws Problem 404, 409 */
async function resumeJob(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  id: number,
  send: typeof acceptRequest,
): Promise<Submitted> {
  const failed = await readJobView(c.var.db, id);
  if (!failed) throw noJob(id);
  checkMay(c, 'operator', failed);
  if (failed.status !== 'failed') throw notFailed(failed);
  if (failed.runner === 'external') throw notOurs(id);
  const skippedSteps = stepsToSkip(endedSteps(failed), databaseTime(deps.db));
  const { env, target, action_name, action, is_tag, options, mam_main_query, runner, steps_spec } = failed;
  return await send(
    c,
    deps,
    {
      env,
      target,
      parameters: { action_name, action, is_tag, options, mam_main_query },
      runner,
      steps: steps_spec.slice(skippedSteps),
    },
    { trigger: 'resume', resumes: { jobId: id, skippedSteps } },
  ).catch((error: unknown) => {
    throw error instanceof AlreadyResumed ? alreadyResumed(id, error.by) : error;
  });
}

function endedSteps({ steps }: JobView) {
  return steps.map(({ step, outcome, ended_at: at }) => ({
    step,
    outcome,
    endedAt: at === null ? null : new Date(at),
  }));
}

function notFailed({ id, status }: { id: number; status: string }): Problem {
  return new Problem(409, 'not_failed', `job ${id} is ${status}; only a failed job is resumed`);
}

function notOurs(id: number): Problem {
  return new Problem(
    409,
    'not_resumable',
    `job ${id} is run by an external executor, which goes on by itself or is asked anew`,
  );
}

function alreadyResumed(id: number, by: { id: number; action_name: string; status: string }): Problem {
  return new Problem(409, 'already_resumed', `job ${id} has been resumed by job ${by.id} (${by.status})`, {
    headers: { location: `/jobs/${by.id}` },
    members: { holder: { id: by.id, action: by.action_name, status: by.status } },
  });
}
