/** `/jobs/:id/resume`, `/jobs/resume-all`: starts a new job that continues where a failed one stopped. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { databaseTime } from '../../db/clock.ts';
import { type JobView, readJobView } from '../../db/views/job-views.ts';
import { AlreadyResumed, type Submitted } from '../../db/jobs/submit.ts';
import type { JobRow } from '../../db/schema.ts';
import { findBegunSince } from '../../db/jobs/rollback.ts';
import { isStillApproved } from '../../db/losses/removals.ts';
import { listTargetStates } from '../../db/views/target-states.ts';
import { InvalidOptions, type JobPlan, planJob, type PlannedJob } from '../../job-params/plan-job.ts';
import { APPLY, isBesideSync, plannedName, ROLLBACK } from '../../domain/action.ts';
import { approvalOf, withoutForce } from '../../domain/options.ts';
import { stepsToSkip } from '../../domain/skipped-steps.ts';
import { pokeJobs } from '../../engine/start-job.ts';
import { checkMay } from '../auth/access.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { idParam } from '../http/fields.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { QUEUED_JOB } from './job-example.ts';
import { jobSchema } from './job-schema.ts';
import { noJob, readJob } from './jobs.ts';
import { notAllowed, Problem } from '../http/problem.ts';
import { auditDeniedItems } from '../auth/audit-denied.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { declaringFile } from './start-request.ts';
import { accepted, SUBMIT_REFUSALS } from './start-answer.ts';
import { acceptRequested, startDeps, startRequested } from './submit-request.ts';

/** `resume-all` leaves alone jobs that ended longer ago than this. */
const RECENT_MS = 24 * 3_600_000;

const RESUMED_JOB = { ...QUEUED_JOB, id: 8, resumes: 7, trigger: 'resume' };

const oneRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/resume',
  tag: 'jobs',
  summary: 'Resume a failed job',
  description:
    'Starts a new job (`resumes`) with the options of the failed one, without --force-delete; image, command and limits ' +
    'come from its current params file. Completed steps are skipped, unless the last of them ended over an hour ago. The ' +
    'failed step continues from its last checkpoint, if its program has one.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: idParam,
  headers: idempotencyHeaders,
  answers: {
    200: {
      description: 'An identical job is active already, by another request.',
      schema: jobSchema,
      example: { ...RESUMED_JOB, resumes: null, trigger: 'api' },
    },
    202: { description: 'The new job.', schema: jobSchema, example: RESUMED_JOB },
  },
  errors: [
    noJob(7),
    notFailed({ id: 7, status: 'completed' }),
    notOurs(7),
    plansOrApplies(7, APPLY),
    notDeclared({ id: 7, env: 'qas', target: 'avo', action: 'sync' }),
    otherSteps(7),
    begunSince(7, 9),
    approvedOtherwise(7),
    alreadyResumed(7, { id: 8, action_name: 'sync', status: 'running' }),
    ...SUBMIT_REFUSALS,
  ],
});

const resumedSchema = z
  .array(
    z.object({
      resumes: z.int().describe('The failed job.'),
      job_id: z.int().nullable().describe('The new job; null if the resume was refused.'),
      code: z.string().nullable().describe('The error code of a refused resume; null if it was accepted.'),
      msg: z.string().describe('The result in words.'),
    }),
  )
  .openapi('Resumed');

const allRoute = defineRoute({
  method: 'post',
  path: '/jobs/resume-all',
  tag: 'jobs',
  summary: 'Resume every target whose last job failed',
  description:
    'Each job is resumed or refused by itself. Jobs that ended over 24 h ago are refused (too_old): resume them one by one. ' +
    'Repeating the request is harmless: resumed jobs are left alone. An Idempotency-Key has no effect.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  answers: {
    200: {
      description: 'The result for each job.',
      schema: resumedSchema,
      example: [
        { resumes: 7, job_id: 8, code: null, msg: 'resumed' },
        { resumes: 5, job_id: null, code: 'busy', msg: "target 'avo' in env 'prd' is held by job 9" },
        { resumes: 3, job_id: null, code: 'too_old', msg: tooOld(3).message },
      ],
    },
  },
});

export function resume(deps: ApiDeps) {
  const app = subApp();
  app.openapi(oneRoute, async (c) => {
    const { id } = c.req.valid('param');
    const submitted = await resumeJob(c, deps, id, { send: startRequested });
    const job = await readJob(c.var.db, deps, accepted(submitted).id);
    return c.json(job, submitted.kind === 'deduplicated' ? 200 : 202, { location: `/jobs/${job.id}` });
  });
  app.openapi(allRoute, async (c) => {
    const answer: z.infer<typeof resumedSchema> = [];
    const created: JobRow[] = [];
    for (const { last_job_id: id, last_status: status } of await listTargetStates(c.var.db)) {
      if (id === null || status !== 'failed') continue;
      try {
        const submitted = await resumeJob(c, deps, id, { send: acceptRequested, withinMs: RECENT_MS });
        const job = accepted(submitted);
        if (submitted.kind === 'created') created.push(job);
        answer.push({ resumes: id, job_id: job.id, code: null, msg: 'resumed' });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        answer.push({ resumes: id, job_id: null, code: error.code, msg: error.message });
      }
    }
    await pokeJobs(startDeps(c, deps), created);
    const items = answer.filter(({ job_id: id }) => id === null);
    await auditDeniedItems(c, {
      verb: 'start',
      items: items.map(({ resumes, msg }) => ({ item: resumes, msg })),
    });
    return c.json(answer);
  });
  // Without this route, `resume-all` would be read as a job id by GET /jobs/:id.
  app.all(allRoute.path, (c) => {
    throw notAllowed(c, ['POST']);
  });
  return app;
}

/**
 * @param how.withinMs a job that ended longer ago is refused
 * @throws Problem 404, 409
 */
async function resumeJob(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  id: number,
  { send, withinMs = Infinity }: { send: typeof acceptRequested; withinMs?: number },
): Promise<Submitted> {
  const failed = await readJobView(c.var.db, id);
  if (!failed) throw noJob(id);
  checkMay(c, { role: 'operator', of: failed });
  if (failed.status !== 'failed') throw notFailed(failed);
  if (failed.runner === 'external') throw notOurs(id);
  if (plannedName(failed) !== undefined) throw plansOrApplies(id, failed.action);
  const now = databaseTime(deps.db);
  if (failed.finished_at && now.getTime() - failed.finished_at.getTime() > withinMs) throw tooOld(id);
  if (failed.action === ROLLBACK) {
    const since = await findBegunSince(c.var.db, failed);
    if (since !== undefined) throw begunSince(id, since);
  }
  const approval = approvalOf(failed);
  if (approval !== undefined && !(await isStillApproved(c.var.db, approval))) throw approvedOtherwise(id);
  const planned = planAsDeclaredToday(deps, failed);
  const skippedSteps = stepsToSkip(endedSteps(failed), now);
  return await send(
    c,
    deps,
    { ...planned, steps: planned.steps.slice(skippedSteps) },
    { trigger: 'resume', resumes: { jobId: id, skippedSteps } },
  ).catch((error: unknown) => {
    throw error instanceof AlreadyResumed ? alreadyResumed(id, error.by) : error;
  });
}

/**
 * Plans the failed job again by today's params file, with its guard: image and limits may have changed since.
 * @returns the steps that the failed job had
 * @throws Problem 409
 */
function planAsDeclaredToday(deps: ApiDeps, failed: JobView): PlannedJob {
  const { id, env, target, action_name, action, options, mam_main_query, steps_spec } = failed;
  const files = deps.params.filesOf({ env, target });
  const ofSync = isBesideSync(action) ? files.find((f) => f.parameters.action_name === 'sync') : undefined;
  const isRemoval = approvalOf(failed) !== undefined;
  const file = (isRemoval ? undefined : declaringFile(files, { action_name, action })) ?? ofSync;
  if (!file) throw notDeclared({ id, env, target, action });
  const { is_tag } = file.parameters;
  const parameters = { action_name, action, is_tag, options: withoutForce(options), mam_main_query };
  const planned = planOrRefuse(deps, id, { file, env, target, parameters });
  // A job that itself resumed another has only the last steps.
  const steps = planned.steps.slice(-steps_spec.length);
  const same =
    steps.length === steps_spec.length && steps.every((s, at) => s.action === steps_spec[at]?.action);
  if (!same || planned.runner === 'external') throw otherSteps(id);
  return { ...planned, steps };
}

function planOrRefuse(deps: ApiDeps, id: number, of: JobPlan): PlannedJob {
  try {
    return planJob({ params: deps.params, defaults: deps.config }, of);
  } catch (error) {
    if (!(error instanceof InvalidOptions)) throw error;
    throw new Problem(409, 'not_resumable', `job ${id}: ${error.message}; start a new job`);
  }
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
    `job ${id} is run by an external executor; start a new job for it`,
  );
}

/** Whether its plan can still be applied is told by the plan itself. */
function plansOrApplies(id: number, action: string): Problem {
  const instead =
    action === APPLY ? 'apply the plan again (POST /plans/{id}/apply), or make a new one' : 'make a new plan';
  return new Problem(409, 'not_resumable', `job ${id} is a job of action ${action}: ${instead}`);
}

function notDeclared(of: { id: number; env: string; target: string; action: string }): Problem {
  const { id, env, target, action } = of;
  return new Problem(
    409,
    'not_declared',
    `job ${id} cannot be resumed: no params file declares the action '${action}' of target '${target}' in env '${env}' any more; start a declared action`,
  );
}

function otherSteps(id: number): Problem {
  return new Problem(
    409,
    'not_resumable',
    `job ${id} cannot be resumed: its params file declares other steps today; start a new job`,
  );
}

function begunSince(id: number, since: number): Problem {
  return new Problem(
    409,
    'newer_job',
    `job ${id} is a rollback, and job ${since} of the same target has begun since; start a new rollback`,
  );
}

function approvedOtherwise(id: number): Problem {
  return new Problem(
    409,
    'loss_changed',
    `job ${id} is a removal, and the loss is not the set any more that was approved for it; approve the loss again`,
  );
}

function tooOld(id: number): Problem {
  return new Problem(
    409,
    'too_old',
    `job ${id} ended over 24 h ago; resume it by its id, or start a new job`,
  );
}

function alreadyResumed(id: number, by: { id: number; action_name: string; status: string }): Problem {
  return new Problem(409, 'already_resumed', `job ${id} has been resumed by job ${by.id} (${by.status})`, {
    headers: { location: `/jobs/${by.id}` },
    members: { holder: { id: by.id, action: by.action_name, status: by.status } },
  });
}
