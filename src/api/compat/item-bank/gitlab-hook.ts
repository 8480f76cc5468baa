/** `POST /hooks/gitlab`: a push or a new project in GitLab requests an import of that item. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { requestStart } from '../../../db/jobs/debounced-starts.ts';
import { readFields } from './read-fields.ts';
import { networkOfCaller } from '../../auth/request-origin.ts';
import type { ApiDeps } from '../../context.ts';
import { itemBankFile, noItemBank } from './item-bank.ts';
import { HookAttempts, tooManySecrets, wrongSecret } from './hook-attempts.ts';
import { Problem } from '../../http/problem.ts';
import { noteCredential } from '../../auth/audit-denied.ts';
import { defineRoute, subApp } from '../../http/route.ts';
import { BatchWrites } from './batch-writes.ts';

/** The largest hook of GitLab: at most 20 commits of a push, each with all its files. */
const HOOK_LIMIT = 25 * 1024 * 1024;

/** The fields read from push, system and project hooks; all others are ignored. */
const eventSchema = z.object({
  event_name: z.string().optional(),
  object_kind: z.string().optional(),
  project_id: z.int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  ref: z.string().optional(),
  refs: z.array(z.string()).optional(),
  project: z.looseObject({ default_branch: z.string().nullish() }).nullish(),
});
type Event = z.infer<typeof eventSchema>;
const NEEDED = Object.keys(eventSchema.shape);

/** Events after which an item or its path may have changed. */
const RELEVANT_EVENTS = ['push', 'repository_update', 'project_create', 'project_rename', 'project_transfer'];

const PUSH = {
  object_kind: 'push',
  event_name: 'push',
  ref: 'refs/heads/main',
  project_id: 1811,
  project: { id: 1811, path_with_namespace: 'item-bank/item-1811', default_branch: 'main' },
};

const answerSchema = z
  .object({
    result: z.enum(['wanted', 'ignored']).describe('`wanted`: a job will import the item.'),
    item: z.string().nullable().describe('The id of the project; null if the hook names none.'),
    why: z.string().nullable().describe('Why the hook was ignored; null if it was not.'),
  })
  .openapi('HookAnswer', { example: { result: 'wanted', item: '1811', why: null } });

const hookRoute = defineRoute({
  method: 'post',
  path: '/hooks/gitlab',
  tag: 'item bank',
  summary: 'Receive a webhook of GitLab',
  description:
    'For project, group and system hooks. A push to the default branch, a new project and a moved project request an ' +
    'import of the item. One job imports all requested items as soon as the target is free.',
  access: 'public',
  headers: z.object({
    'x-gitlab-token': z
      .string()
      .optional()
      .openapi({ description: 'The secret token of the hook: GITLAB_HOOK_SECRET.', example: 'of-the-hook' }),
  }),
  ownBody: {
    required: true,
    content: {
      'application/json': { schema: { type: 'object' as const, additionalProperties: true }, example: PUSH },
    },
  },
  answers: { 202: { description: 'The hook was recorded or ignored.', schema: answerSchema } },
  errors: [
    wrongSecret(),
    tooManySecrets(60),
    noSecret(),
    noItemBank(),
    malformed('project_id: is missing'),
    tooLargeHook(),
  ],
});

export function gitlabHook(deps: ApiDeps) {
  const app = subApp();
  const tries = new HookAttempts();
  // The newest hook's trace, since many hooks become one job.
  let traceparent = '';
  const wanted = new BatchWrites(async (items) => {
    const { env, target, parameters } = itemBankFile(deps, 'delta');
    const of = { env, target, action: parameters.action_name, requestedBy: 'gitlab', traceparent };
    await requestStart(deps.db, of, items);
  });
  app.openapi(hookRoute, async (c) => {
    const { gitlabHookSecret: secret } = deps.config;
    if (secret === undefined) throw noSecret();
    // Checked before the limit, so that wrong secrets never block a caller with the right one.
    if (!isSame(c.req.header('x-gitlab-token') ?? '', secret)) {
      const problem = (await tries.take(networkOfCaller(c))) ?? wrongSecret();
      await noteCredential(c, 'want', problem);
      throw problem;
    }
    itemBankFile(deps, 'delta');
    const parsed = eventSchema.safeParse(await readFields(c, NEEDED, HOOK_LIMIT));
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
  if (name === 'project_destroy') return 'only the action delete removes items';
  if (!RELEVANT_EVENTS.includes(name)) return `${name.slice(0, 80)} changes no item`;
  const branch = event.project?.default_branch;
  const refs = [...(event.refs ?? []), ...(event.ref === undefined ? [] : [event.ref])];
  // Without a branch or ref the hook may concern the default branch; checking the item is cheap.
  if (!branch || refs.length === 0 || refs.includes(`refs/heads/${branch}`)) return null;
  return `not a push to the default branch ${branch.slice(0, 80)}`;
}

/** Compares in constant time. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

function noSecret(): Problem {
  return new Problem(
    503,
    'no_hook_secret',
    'GITLAB_HOOK_SECRET is not set on this server; set it to accept hooks',
  );
}

function malformed(detail: string): Problem {
  return new Problem(400, 'malformed', detail);
}

function tooLargeHook(): Problem {
  return new Problem(413, 'too_large', `the body is larger than ${HOOK_LIMIT} bytes`);
}
