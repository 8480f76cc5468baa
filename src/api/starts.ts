/** Starting and trying out: the declared actions by path, `/run` and `/dryrun` by parameters, `/rollback`. */
import { z } from '@hono/zod-openapi';
import { touchedBy } from '../domain/grant.ts';
import { TAG_PATTERN } from '../domain/names.ts';
import { checkMay } from './access.ts';
import type { ApiDeps } from './context.ts';
import { name, pathName, text } from './fields.ts';
import { idempotencyHeaders } from './idempotency.ts';
import { bodyProblem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import {
  DEDUPLICATED,
  dryRunAnswer,
  dryRunSchema,
  startAnswer,
  startedSchema,
  SUBMIT_REFUSALS,
} from './start-answer.ts';
import {
  findFile,
  needsParameters,
  requestOfBody,
  requestOfFile,
  rollbackRequest,
  unknownName,
} from './start-request.ts';
import { submitRequest } from './submit-request.ts';

const params = z.object({
  target: pathName.openapi({ param: { name: 'target', in: 'path' }, example: 'avo' }),
  env: pathName.openapi({ param: { name: 'env', in: 'path' }, example: 'qas' }),
});

const runBody = z
  .strictObject({
    target: name,
    env: name.openapi({ example: 'qas' }),
    action_name: name.openapi({ example: 'delta' }),
    action: name.openapi({ example: 'delta' }),
    is_tag: z.string().regex(TAG_PATTERN, 'must be an image tag'),
    options: text(2000),
    mam_main_query: text(2000).optional(),
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

export type RunBody = z.infer<typeof runBody>;

const started = {
  200: { description: 'The same job is active already.', schema: startedSchema, example: DEDUPLICATED },
  202: { description: 'A new job.', schema: startedSchema },
};
const rendered = { 200: { description: 'What would run.', schema: dryRunSchema } };
const UNKNOWN = [
  unknownName('env', 'qa', '', ['prd', 'qas']),
  unknownName('target', 'av', " in env 'qas'", ['avo', 'cities']),
  unknownName('action', 'delta', " of target 'avo' in env 'qas'", ['sync']),
];
const NEEDS_MORE = needsParameters('sync', [{ field: 'description', message: 'is missing' }]);
const NOT_DECLARED = [
  NEEDS_MORE,
  bodyProblem([{ field: 'env', message: "'qa' is not declared; known: prd, qas" }]),
];

/** One action's two routes. */
function actionRoutes<const A extends 'sync' | 'delta' | 'delete' | 'diff'>(action: A) {
  const common = { path: `/${action}/{target}/{env}`, tag: 'start', params } as const;
  return {
    dryRun: defineRoute({
      ...common,
      method: 'get',
      summary: `Dry run of ${action}: what would run`,
      access: 'read',
      deadline: false,
      answers: rendered,
      errors: [...UNKNOWN, NEEDS_MORE],
    }),
    start: defineRoute({
      ...common,
      method: 'post',
      summary: `Start ${action}`,
      access: 'operator',
      verb: 'start',
      touches: 'jobs',
      headers: idempotencyHeaders,
      answers: started,
      errors: [...UNKNOWN, NEEDS_MORE, ...SUBMIT_REFUSALS],
    }),
  };
}

const runRoute = defineRoute({
  method: 'post',
  path: '/run',
  tag: 'start',
  summary: 'Start by parameters',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  headers: idempotencyHeaders,
  json: runBody,
  answers: started,
  errors: [...NOT_DECLARED, ...SUBMIT_REFUSALS],
});

const dryRunRoute = defineRoute({
  method: 'post',
  path: '/dryrun',
  tag: 'start',
  summary: 'Dry run by parameters',
  access: 'operator',
  verb: 'dry-run',
  touches: 'jobs',
  deadline: 'user',
  json: runBody,
  answers: rendered,
  errors: NOT_DECLARED,
});

const rollbackRoute = defineRoute({
  method: 'post',
  path: '/rollback/{target}/{env}',
  tag: 'start',
  summary: "Switch back to the target's kept generation",
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params,
  headers: idempotencyHeaders,
  answers: started,
  errors: [...UNKNOWN, ...SUBMIT_REFUSALS],
});

export function starts(deps: ApiDeps) {
  const app = subApp();
  for (const action of ['sync', 'delta', 'delete', 'diff'] as const) {
    const routes = actionRoutes(action);
    app.openapi(routes.dryRun, (c) => {
      const { target, env } = c.req.valid('param');
      const file = findFile(deps.params, { env, name: target, action });
      return c.json(dryRunAnswer(deps.config, requestOfFile(deps, file)));
    });
    app.openapi(routes.start, async (c) => {
      const { target, env } = c.req.valid('param');
      const request = requestOfFile(deps, findFile(deps.params, { env, name: target, action }));
      const submitted = await submitRequest(c, deps, request);
      return startAnswer(c, submitted, request);
    });
  }
  app.openapi(runRoute, async (c) => {
    const body = c.req.valid('json');
    const request = requestOfBody(deps, body);
    const submitted = await submitRequest(c, deps, request, { body });
    return startAnswer(c, submitted, request);
  });
  app.openapi(dryRunRoute, (c) => {
    const request = requestOfBody(deps, c.req.valid('json'));
    checkMay(c, 'operator', touchedBy(request)); // it says what POST /run would
    return c.json(dryRunAnswer(deps.config, request));
  });
  app.openapi(rollbackRoute, async (c) => {
    const { target, env } = c.req.valid('param');
    const request = rollbackRequest(deps, { env, name: target });
    const submitted = await submitRequest(c, deps, request, { trigger: 'rollback' });
    return startAnswer(c, submitted, request);
  });
  return app;
}
