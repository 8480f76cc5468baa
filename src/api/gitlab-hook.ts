/** `POST /hooks/gitlab`: GitLab tells of a push or a new project, which makes that item wanted. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { want } from '../db/wanted.ts';
import { parseJson, readBody } from './body.ts';
import type { ApiDeps } from './context.ts';
import { itemBankFile, noItemBank } from './item-bank.ts';
import { Problem, unauthorized } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import { WantedTogether } from './wanted-together.ts';

/** GitLab names at most 20 commits of a push, each with the files it touched. */
const HOOK_LIMIT = 1024 * 1024;

/** Of push hooks, system hooks and groups' project hooks; everything else in them is left alone. */
const eventSchema = z.looseObject({
  event_name: z.string().optional(),
  object_kind: z.string().optional(),
  project_id: z.int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  ref: z.string().optional(),
  refs: z.array(z.string()).optional(),
  project: z.looseObject({ default_branch: z.string().nullish() }).nullish(),
});
type Event = z.infer<typeof eventSchema>;

/** After which the item may be another one, or its path. */
const TELLING = ['push', 'repository_update', 'project_create', 'project_rename', 'project_transfer'];

const PUSH = {
  object_kind: 'push',
  event_name: 'push',
  ref: 'refs/heads/main',
  project_id: 1811,
  project: { id: 1811, path_with_namespace: 'item-bank/item-1811', default_branch: 'main' },
};

const answerSchema = z
  .object({
    result: z.enum(['wanted', 'ignored']),
    item: z.string().nullable().describe('The project.'),
    why: z.string().nullable().describe('Why it was ignored.'),
  })
  .openapi('HookAnswer', { example: { result: 'wanted', item: '1811', why: null } });

const hookRoute = defineRoute({
  method: 'post',
  path: '/hooks/gitlab',
  tag: 'item bank',
  summary: "GitLab's hooks: push, and projects of a group or of all GitLab",
  description:
    'For the webhooks of projects and groups, and for system hooks. A push to the default branch, a new project and one that ' +
    'moved make the item wanted: a job brings it when the target is free, one job for all that are wanted by then.',
  access: 'public',
  headers: z.object({
    'x-gitlab-token': z
      .string()
      .optional()
      .openapi({ description: 'GITLAB_HOOK_SECRET.', example: 'of-the-hook' }),
  }),
  ownBody: {
    required: true,
    content: {
      'application/json': { schema: { type: 'object' as const, additionalProperties: true }, example: PUSH },
    },
  },
  answers: { 202: { description: 'Noted, or nothing to note.', schema: answerSchema } },
  errors: [wrongSecret(), noSecret(), noItemBank(), malformed('project_id: is missing'), tooLargeHook()],
});

export function gitlabHook(deps: ApiDeps) {
  const app = subApp();
  // Of the newest hook: many become one job.
  let traceparent = '';
  const wanted = new WantedTogether(async (items) => {
    const { env, target, parameters } = itemBankFile(deps, 'delta');
    const of = { env, target, action: parameters.action_name, requestedBy: 'gitlab', traceparent };
    await want(deps.db, of, items);
  });
  app.openapi(hookRoute, async (c) => {
    const { gitlabHookSecret: secret } = deps.config;
    if (secret === undefined) throw noSecret();
    if (!isSame(c.req.header('x-gitlab-token') ?? '', secret)) throw wrongSecret();
    itemBankFile(deps, 'delta');
    const parsed = eventSchema.safeParse(parseJson(await readBody(c, HOOK_LIMIT)));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw malformed(`${issue?.path.join('.') || 'the body'}: ${issue?.message}`);
    }
    const why = reasonToIgnore(parsed.data);
    const item = parsed.data.project_id === undefined ? null : String(parsed.data.project_id);
    if (why !== null) return c.json({ result: 'ignored' as const, item, why }, 202);
    if (item === null) throw malformed('project_id: is missing');
    traceparent = c.var.traceparent;
    await wanted.add(item);
    return c.json({ result: 'wanted' as const, item, why: null }, 202);
  });
  return app;
}

function reasonToIgnore(event: Event): string | null {
  const name = event.event_name ?? event.object_kind ?? 'an event without a name';
  if (name === 'project_destroy') return 'what is gone is removed by the action delete alone';
  if (!TELLING.includes(name)) return `${name.slice(0, 80)} changes no item`;
  const branch = event.project?.default_branch;
  const refs = [...(event.refs ?? []), ...(event.ref === undefined ? [] : [event.ref])];
  // Without the one or the other nothing is known, and looking is cheap.
  if (!branch || refs.length === 0 || refs.includes(`refs/heads/${branch}`)) return null;
  return `not of the default branch ${branch.slice(0, 80)}`;
}

/** In a time that tells nothing of either. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

function wrongSecret(): Problem {
  return unauthorized('the header X-Gitlab-Token is not GITLAB_HOOK_SECRET', { code: 'wrong_hook_secret' });
}

function noSecret(): Problem {
  return new Problem(503, 'no_hook_secret', 'GITLAB_HOOK_SECRET is not set here, so no hook can be believed');
}

function malformed(detail: string): Problem {
  return new Problem(400, 'malformed', detail);
}

function tooLargeHook(): Problem {
  return new Problem(413, 'too_large', `the body is larger than ${HOOK_LIMIT} bytes`);
}
