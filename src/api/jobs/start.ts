/** Starts and dry runs: declared actions by path, `/run` and `/dryrun` by parameters. */
import { z } from '@hono/zod-openapi';
import { DECLARED_ACTIONS, type DeclaredAction } from '../../domain/action.ts';
import { requirementOf } from '../../domain/permission.ts';
import { TAG_PATTERN } from '../../domain/names.ts';
import { checkMay } from '../auth/access.ts';
import type { ApiDeps } from '../context.ts';
import { name, text, yesOrNo } from '../http/fields.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { bodyProblem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { dryRunAnswer, dryRunSchema, START_ANSWERS, startAnswer, SUBMIT_REFUSALS } from './start-answer.ts';
import { queuedAnswer } from './next-start.ts';
import {
  findFile,
  needsApproval,
  needsParameters,
  needsPlan,
  planDeclaredJob,
  planRunJob,
} from './start-request.ts';
import { startRequested } from './submit-request.ts';
import { targetPath, UNKNOWN_TARGET } from './target-path.ts';

const runBody = z
  .strictObject({
    target: name.describe('A declared target.'),
    env: name.openapi({ description: 'A declared environment.', example: 'qas' }),
    action_name: name.openapi({ description: 'The name of the action.', example: 'delta' }),
    action: name.openapi({ description: 'The action to perform.', example: 'delta' }),
    is_tag: z.string().regex(TAG_PATTERN, 'must be an image tag').describe('Tag of the image.'),
    options: text(2000).describe('Options of the program.'),
    mam_main_query: text(2000).optional().describe('MAM_MAIN_QUERY of the program.'),
  })
  .openapi('Run', {
    example: {
      target: 'avo',
      env: 'qas',
      action_name: 'delta',
      action: 'delta',
      is_tag: 'latest',
      options: '-n 1000 -c 1',
    },
  });

export const startQuery = z.strictObject({
  unpromoted: yesOrNo
    .optional()
    .describe('Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin.'),
});

const rendered = { 200: { description: 'The steps that would run.', schema: dryRunSchema } };
const NEEDS_MORE = needsParameters('sync', [{ field: 'description', message: 'is missing' }]);
const NOT_DECLARED = [
  NEEDS_MORE,
  needsApproval(),
  needsPlan('plan'),
  bodyProblem([{ field: 'env', message: "'qa' is not declared; known: prd, qas" }]),
];

/** The dry run and the start of one action. */
function actionRoutes<const A extends DeclaredAction>(action: A) {
  const common = { path: `/${action}/{target}/{env}`, tag: 'start', params: targetPath } as const;
  return {
    dryRun: defineRoute({
      ...common,
      method: 'get',
      summary: `Show what ${action} would run`,
      access: 'read',
      deadline: false,
      answers: rendered,
      errors: [...UNKNOWN_TARGET, NEEDS_MORE],
    }),
    start: defineRoute({
      ...common,
      method: 'post',
      summary: `Start ${action}`,
      access: 'operator',
      verb: 'start',
      touches: 'jobs',
      headers: idempotencyHeaders,
      query: startQuery,
      answers: START_ANSWERS,
      errors: [...UNKNOWN_TARGET, NEEDS_MORE, ...SUBMIT_REFUSALS],
    }),
  };
}

const runRoute = defineRoute({
  method: 'post',
  path: '/run',
  tag: 'start',
  summary: 'Start a job by parameters',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  headers: idempotencyHeaders,
  query: startQuery,
  json: runBody,
  answers: START_ANSWERS,
  errors: [...NOT_DECLARED, ...SUBMIT_REFUSALS],
});

const dryRunRoute = defineRoute({
  method: 'post',
  path: '/dryrun',
  tag: 'start',
  summary: 'Show what a start by parameters would run',
  access: 'operator',
  verb: 'dry-run',
  touches: 'jobs',
  deadline: 'user',
  json: runBody,
  answers: rendered,
  errors: NOT_DECLARED,
});

export function starts(deps: ApiDeps) {
  const app = subApp();
  for (const action of DECLARED_ACTIONS) {
    const routes = actionRoutes(action);
    app.openapi(routes.dryRun, (c) => {
      const { target, env } = c.req.valid('param');
      const file = findFile(deps.params, { env, name: target, action });
      return c.json(dryRunAnswer(deps.config, planDeclaredJob(deps, file)));
    });
    app.openapi(routes.start, async (c) => {
      const { target, env } = c.req.valid('param');
      const planned = planDeclaredJob(deps, findFile(deps.params, { env, name: target, action }));
      const { unpromoted } = c.req.valid('query');
      const submitted = await startRequested(c, deps, planned, { unpromoted, mayQueue: true });
      if (submitted.kind === 'queued') return queuedAnswer(c, submitted.next);
      return startAnswer(c, submitted, planned);
    });
  }
  app.openapi(runRoute, async (c) => {
    const body = c.req.valid('json');
    const planned = planRunJob(deps, body);
    const { unpromoted } = c.req.valid('query');
    const how = { body, optionsBy: 'caller', unpromoted, mayQueue: true } as const;
    const submitted = await startRequested(c, deps, planned, how);
    if (submitted.kind === 'queued') return queuedAnswer(c, submitted.next);
    return startAnswer(c, submitted, planned);
  });
  app.openapi(dryRunRoute, (c) => {
    const planned = planRunJob(deps, c.req.valid('json'));
    checkMay(c, requirementOf(planned, 'caller')); // shows what POST /run would start
    return c.json(dryRunAnswer(deps.config, planned));
  });
  return app;
}
