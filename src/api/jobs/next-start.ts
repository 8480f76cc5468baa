/** `/next/{target}/{env}`: the one start that is remembered until the target is free (QUEUE=one). */
import { z } from '@hono/zod-openapi';
import type { Context, TypedResponse } from 'hono';
import { dropNext, type NextStart, readNext, scopeOf } from '../../db/jobs/next-starts.ts';
import type { Key } from '../../domain/job.ts';
import type { JobParams } from '../../job-params/load.ts';
import { checkMay } from '../auth/access.ts';
import { principalAndOrigin } from '../auth/request-origin.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { isoTime } from '../http/fields.ts';
import { masked } from '../http/mask.ts';
import { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { targetPath } from './target-path.ts';

const NEXT = {
  uid: '3f1c2b5e-8a1d-4c7e-9b0a-2d4e6f8a0b1c',
  env: 'qas',
  target: 'avo',
  action_name: 'sync',
  action: 'sync',
  is_tag: 'latest',
  options: '-n 1000 -c 1',
  trigger: 'api',
  requested_by: 'ann',
  requested_at: '2026-11-22T01:00:00.000Z',
  behind: 7,
};

export const nextStartSchema = z
  .object({
    uid: z.string().describe('Its identity; a later start that takes its place has another one.'),
    env: z.string().describe('The environment.'),
    target: z.string().describe('The target.'),
    action_name: z.string().describe('The name of the action.'),
    action: z.string().describe('The action that it will perform.'),
    is_tag: z.string().describe('Tag of the image.'),
    options: z.string().describe('Options of the program, credentials masked.'),
    trigger: z.string().describe('What asked for it.'),
    requested_by: z.string().describe('Who asked for it.'),
    requested_at: isoTime.describe('When it was asked for.'),
    behind: z.int().describe('The job that held the target then.'),
  })
  .openapi('NextStart', {
    description: 'The remembered start: the one asked for, or an earlier one that does its work too.',
    example: NEXT,
  });

export const queuedSchema = z
  .object({
    result: z.literal('queued').describe('Always `queued`: there is no job yet.'),
    deduplicated: z.literal(false).describe('Always false.'),
    msg: z.string().describe('The start, the job that it waits for, and how to see and cancel it.'),
    next_start: nextStartSchema,
  })
  .openapi('QueuedStart', {
    example: { result: 'queued', deduplicated: false, msg: wordsOf(NEXT), next_start: NEXT },
  });

export type NextStartJson = z.infer<typeof nextStartSchema>;
type QueuedAnswer = Response & TypedResponse<z.infer<typeof queuedSchema>, 202, 'json'>;

export function nextStartJson({ request, at, ...of }: NextStart): NextStartJson {
  const { action_name, action, is_tag, options } = request.parameters;
  const { uid, env, target, trigger, requested_by, behind } = of;
  const asked = { trigger, requested_by, requested_at: at.toISOString(), behind };
  return { uid, env, target, action_name, action, is_tag, options: masked(options), ...asked };
}

/** 202 for a start that waits for the end of another job. */
export function queuedAnswer(c: Context, next: NextStart): QueuedAnswer {
  const shown = nextStartJson(next);
  return c.json({ result: 'queued', deduplicated: false, msg: wordsOf(shown), next_start: shown }, 202, {
    location: `/next/${next.target}/${next.env}`,
  });
}

function wordsOf({ action_name, target, env, behind }: NextStartJson): string {
  const path = `/next/${target}/${env}`;
  return `${action_name} of target '${target}' in env '${env}' is queued behind job ${behind}; see it: GET ${path}, cancel it: DELETE ${path}`;
}

function noNext({ target, env }: Key): Problem {
  return new Problem(
    404,
    'no_next_start',
    `no start of target '${target.slice(0, 80)}' in env '${env.slice(0, 80)}' is remembered; it may have become a job (GET /targets)`,
  );
}

const common = { path: '/next/{target}/{env}', tag: 'start', params: targetPath } as const;
const errors = [noNext({ target: 'avo', env: 'qas' })];

const showRoute = defineRoute({
  ...common,
  method: 'get',
  summary: 'Show the remembered next start of a target',
  access: 'read',
  answers: { 200: { description: 'It becomes a job when the target is free.', schema: nextStartSchema } },
  errors,
});

const cancelRoute = defineRoute({
  ...common,
  method: 'delete',
  summary: 'Cancel the remembered next start of a target',
  access: 'operator',
  verb: 'unqueue',
  touches: 'jobs',
  query: z.strictObject({
    uid: z
      .uuid('must be the uid of a next start')
      .optional()
      .describe('Cancel it only if it still is this one: another may have taken its place.'),
  }),
  answers: { 200: { description: 'The cancelled start.', schema: nextStartSchema } },
  errors,
});

export function nextStarts(deps: ApiDeps) {
  const app = subApp();
  const find = async (c: Context<ApiEnv, string>, path: Key) => {
    const next = await readNext(c.var.db, keyOf(deps.params, path));
    if (!next) throw noNext(path);
    return next;
  };
  app.openapi(showRoute, async (c) => c.json(nextStartJson(await find(c, c.req.valid('param'))), 200));
  app.openapi(cancelRoute, async (c) => {
    const path = c.req.valid('param');
    const next = await find(c, path);
    checkMay(c, { role: 'operator', of: scopeOf(next) });
    const { uid = next.uid } = c.req.valid('query');
    const by = principalAndOrigin(c);
    if (uid !== next.uid || !(await dropNext(c.var.db, { uid, ...by }))) throw noNext(path);
    return c.json(nextStartJson(next), 200);
  });
  return app;
}

/** A path may have the name of the params file instead of its TARGET. */
function keyOf(params: JobParams, { env, target }: Key): Key {
  return { env, target: params.filesOf({ env, target })[0]?.target ?? target };
}
