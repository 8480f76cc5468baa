/** `/plan/…` starts a job that makes a plan, `/plans/:id/apply` one that makes the changes of a plan. */
import { z } from '@hono/zod-openapi';
import { isKnownKey } from '../../db/jobs/idempotency.ts';
import type { PlanView } from '../../db/plans/plans.ts';
import { PLANNABLE } from '../../domain/action.ts';
import { scopeOf } from '../../domain/permission.ts';
import type { ParamsFile } from '../../job-params/load.ts';
import { planApply, planPlan } from '../../job-params/plan-of-changes.ts';
import { whyNoPlan } from '../../job-params/why-no-plan.ts';
import { checkMay } from '../auth/access.ts';
import type { ApiDeps } from '../context.ts';
import { idParam, pathName } from '../http/fields.ts';
import { idempotencyHeaders, idempotencyOf } from '../http/idempotency.ts';
import type { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { startAnswer, STARTED_ANSWERS, SUBMIT_REFUSALS } from '../jobs/start-answer.ts';
import { findFile, planned } from '../jobs/start-request.ts';
import { startQuery } from '../jobs/start.ts';
import { startRequested } from '../jobs/submit-request.ts';
import { targetPath, UNKNOWN_TARGET } from '../jobs/target-path.ts';
import { digestPrefix, EXAMPLE_PLAN } from './plan-schema.ts';
import { readPlanOf } from './shown-plan.ts';
import { cannotPlan, noPlan, planApplied, planChanged, planExpired, planStale } from './refusals.ts';

const DIFF_PARTS = 'it has two parts; plan its delta or its delete';

const planRoute = defineRoute({
  method: 'post',
  path: '/plan/{action}/{target}/{env}',
  tag: 'plans',
  summary: 'Plan what an action would change',
  description:
    `Starts a job that does everything of a ${PLANNABLE.join(', ')} up to the change, and changes no record. Its plan then ` +
    'shows every record that would change (GET /plans/{id}, with the id of the job). Needs the rights of a start of the action.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: targetPath.extend({
    action: pathName.openapi({
      param: { name: 'action', in: 'path' },
      description: 'A declared action.',
      example: 'sync',
    }),
  }),
  headers: idempotencyHeaders,
  query: startQuery,
  answers: STARTED_ANSWERS,
  errors: [...UNKNOWN_TARGET, cannotPlan('diff', DIFF_PARTS), ...SUBMIT_REFUSALS],
});

const applyRoute = defineRoute({
  method: 'post',
  path: '/plans/{id}/apply',
  tag: 'plans',
  summary: 'Apply a plan',
  description:
    'Starts a job that makes exactly the changes of the plan, or none (`plan_stale`) if the sink has changed since. ' +
    'Needs the rights of a start of the planned action.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: idParam,
  headers: idempotencyHeaders,
  query: startQuery,
  json: z
    .strictObject({
      digest: digestPrefix.describe('The digest of the plan as you have seen it, or its beginning.'),
    })
    .openapi('Apply', { example: { digest: EXAMPLE_PLAN.digest } }),
  answers: STARTED_ANSWERS,
  errors: [
    noPlan(7),
    planChanged(7, EXAMPLE_PLAN.digest),
    planStale(7, 9),
    planApplied(7, 9),
    planExpired(7),
    ...SUBMIT_REFUSALS,
  ],
});

export function planStarts(deps: ApiDeps) {
  const app = subApp();
  app.openapi(planRoute, async (c) => {
    const { action, target, env } = c.req.valid('param');
    if (action === 'diff') throw cannotPlan(action, DIFF_PARTS);
    const file = findFile(deps.params, { env, name: target, action });
    checkMay(c, { role: 'operator', of: scopeOf(file) });
    const why = whyNoPlan(file);
    if (why !== undefined) throw cannotPlan(action, why);
    const job = planned(() => planPlan(planningOf(deps), file));
    return startAnswer(c, await startRequested(c, deps, job, c.req.valid('query')), job);
  });
  app.openapi(applyRoute, async (c) => {
    const plan = await readPlanOf(c, c.req.valid('param').id);
    const body = c.req.valid('json');
    checkMay(c, { role: 'operator', of: plan });
    const file = fileOf(deps, plan);
    if (!plan.digest.startsWith(body.digest)) throw planChanged(plan.job_id, plan.digest);
    const refusal = refusalOf(plan);
    // The answer to an earlier request with this key is repeated, also once its job has applied the plan.
    if (refusal && !(await isKnownKey(c.var.db, idempotencyOf(c, body)))) throw refusal;
    const job = planned(() => planApply(planningOf(deps), file, plan));
    return startAnswer(c, await startRequested(c, deps, job, { body, ...c.req.valid('query') }), job);
  });
  return app;
}

/** @throws Problem 404, 422 */
function fileOf({ params }: ApiDeps, { env, target, action_name: name, action }: PlanView): ParamsFile {
  // A file may have another name than its target.
  const own = params.files.filter((file) => file.env === env && file.target === target);
  const file =
    own.find(({ parameters }) => parameters.action_name === name) ??
    findFile(params, { env, name: target, action: name });
  if (file.parameters.action !== action || whyNoPlan(file) !== undefined)
    throw cannotPlan(name, `its params file no longer declares a ${action} of our own runners`);
  return file;
}

function refusalOf({ job_id: id, state, later_job_id: later }: PlanView): Problem | undefined {
  if (state === 'applied') return planApplied(id, later ?? id);
  if (state === 'stale') return planStale(id, later ?? id);
  return state === 'expired' ? planExpired(id) : undefined;
}

const planningOf = ({ params, config }: ApiDeps) => ({ params, defaults: config });
