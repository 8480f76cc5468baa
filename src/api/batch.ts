/** `POST /jobs`: many jobs at once, each accepted or refused by itself. */
import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { countedAs } from '../counted-as.ts';
import type { BatchAnswer } from '../db/submit-batch.ts';
import { refusalOf, touchedBy } from '../domain/grant.ts';
import { inOrder } from '../domain/same-json.ts';
import { submitMany } from '../temporal/submit.ts';
import { requestOfItem } from './batch-request.ts';
import { originOf } from './caller.ts';
import type { ApiDeps } from './context.ts';
import { idempotencyHeaders, idempotencyOf } from './idempotency.ts';
import { noteRefusedItems } from './refusals.ts';
import { defineRoute, subApp } from './route.ts';
import { keyReused } from './start-answer.ts';
import { submitDeps } from './submit-request.ts';

const MOST = 100;
/** A hundred items, some with the manifest of a whole datastore. */
const LIMIT = 1024 * 1024;

const batchBody = z
  .strictObject({
    jobs: z
      .array(z.unknown(), 'must be a list of jobs')
      .max(MOST, `must be at most ${MOST} jobs`)
      .describe(
        'Of each: operation (a declared ACTION_NAME), target, env (where more than one declares it), and what the ' +
          'operation needs. A wrong one is refused alone.',
      ),
  })
  .openapi('Batch', {
    example: {
      jobs: [
        { operation: 'SET_STATUS', target: 'MY_DATASET', releaseStatus: 'PENDING_RELEASE' },
        { operation: 'sync', target: 'avo', env: 'qas' },
        { target: 'MY_DATASET' },
      ],
    },
  });

const answerSchema = z
  .array(
    z.object({
      status: z.enum(['CREATED', 'FAILED']),
      msg: z.string().describe('OK, or why not.'),
      job_id: z.int().optional().describe('Of a created one.'),
    }),
  )
  .openapi('BatchAnswer', {
    example: [
      { status: 'CREATED', msg: 'OK', job_id: 7 },
      { status: 'FAILED', msg: "target 'avo' in env 'qas' is held by job 6 (delta, running)" },
      { status: 'FAILED', msg: 'Missing operation' },
    ],
  });

export type BatchJob = { readonly operation: string; readonly target: string; readonly env?: string } & {
  readonly [parameter: string]: unknown;
};
export type BatchAnswerJson = z.infer<typeof answerSchema>;

const batchRoute = defineRoute({
  method: 'post',
  path: '/jobs',
  tag: 'jobs',
  summary: 'Ask for many jobs at once',
  description:
    'Each is answered in its place; one that is refused keeps no other from being created. A target with an active job, ' +
    'also of the same batch, refuses the next. An Idempotency-Key covers the whole batch and its answer.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  headers: idempotencyHeaders,
  json: batchBody,
  bodyLimit: LIMIT,
  answers: { 200: { description: 'What became of each, in order.', schema: answerSchema } },
  errors: [keyReused()],
});

export function batch(deps: ApiDeps) {
  const app = subApp();
  app.openapi(batchRoute, async (c) => {
    const { jobs } = c.req.valid('json');
    const by = { requestedBy: c.var.user.shown, origin: originOf(c) };
    const items = jobs.map((job) => {
      const request = requestOfItem(deps, job);
      if ('refused' in request) return request;
      const refusal = refusalOf(c.var.user.grant, { role: 'operator', of: touchedBy(request) });
      if (refusal) return { refused: refusal.words };
      const counted = countedAs(deps.params, request, request.parameters);
      return { ...request, uid: randomUUID(), trigger: 'batch' as const, counted, ...by };
    });
    // No schema has brought the fields of the items into one order.
    const idempotency = idempotencyOf(c, inOrder(jobs));
    const submitted = await submitMany(submitDeps(c, deps), { items, idempotency });
    if (submitted.kind === 'key_reused') throw keyReused();
    const answer: BatchAnswer = submitted.answer;
    await noteRefusedItems(c, {
      verb: 'start',
      items: answer.flatMap((one, item) => (one.status === 'FAILED' ? [{ item, msg: one.msg }] : [])),
    });
    return c.json([...answer], 200);
  });
  return app;
}
