/** `POST /jobs`: starts many jobs in one request; each is accepted or refused alone. */
import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { BatchAnswer } from '../../db/jobs/submit-batch.ts';
import { requirementOf, denialReason } from '../../domain/permission.ts';
import { inOrder } from '../../domain/same-json.ts';
import { startJobs } from '../../engine/start-job.ts';
import { planBatchItem } from './batch-request.ts';
import { requestOrigin } from '../auth/request-origin.ts';
import type { ApiDeps } from '../context.ts';
import { idempotencyHeaders, idempotencyOf } from '../http/idempotency.ts';
import { auditDeniedItems } from '../auth/audit-denied.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { keyReused } from './start-answer.ts';
import { mayReplace, startDeps } from './submit-request.ts';

const MOST = 100;
/** Bytes of a body: room for a hundred items, some with the manifest of a whole datastore. */
const LIMIT = 1024 * 1024;

const batchBody = z
  .strictObject({
    jobs: z
      .array(z.unknown(), 'must be a list of jobs')
      .max(MOST, `must be at most ${MOST} jobs`)
      .describe(
        'Each with operation (a declared ACTION_NAME), target, env (required if more than one declares the operation) ' +
          'and the parameters of the operation.',
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
      status: z
        .enum(['CREATED', 'QUEUED', 'FAILED'])
        .describe('Whether the job was created; `QUEUED`: remembered until the target is free (QUEUE=one).'),
      msg: z.string().describe('`OK`, the job that it waits for, or the reason for the refusal.'),
      job_id: z.int().optional().describe('The id of a created job.'),
    }),
  )
  .openapi('BatchAnswer', {
    example: [
      { status: 'CREATED', msg: 'OK', job_id: 7 },
      { status: 'FAILED', msg: "target 'avo' in env 'qas' is held by job 6 (delta, running)" },
      { status: 'FAILED', msg: 'Missing operation' },
    ],
  });

const batchRoute = defineRoute({
  method: 'post',
  path: '/jobs',
  tag: 'jobs',
  summary: 'Start many jobs at once',
  description:
    'Each job is created or refused by itself; the answer keeps the order. A target with an active job, also of the same ' +
    'batch, refuses another one, or with QUEUE=one remembers it. An Idempotency-Key covers the whole batch and its answer.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  headers: idempotencyHeaders,
  json: batchBody,
  bodyLimit: LIMIT,
  answers: { 200: { description: 'The result for each job, in order.', schema: answerSchema } },
  errors: [keyReused()],
});

export function batch(deps: ApiDeps) {
  const app = subApp();
  app.openapi(batchRoute, async (c) => {
    const { jobs } = c.req.valid('json');
    const by = {
      requestedBy: c.var.user.shown,
      origin: requestOrigin(c),
      mayReplace: mayReplace(c),
    };
    const items = jobs.map((job) => {
      const planned = planBatchItem(deps, job);
      if ('refused' in planned) return planned;
      const refusal = denialReason(c.var.user.grant, requirementOf(planned, 'params_file'));
      if (refusal) return { refused: refusal.words };
      return { ...planned, uid: randomUUID(), trigger: 'batch' as const, ...by };
    });
    // Items have no schema that would order their fields, and the Idempotency-Key is bound to their text.
    const idempotency = idempotencyOf(c, inOrder(jobs));
    const submitted = await startJobs(startDeps(c, deps), { items, idempotency });
    if (submitted.kind === 'key_reused') throw keyReused();
    const answer: BatchAnswer = submitted.answer;
    await auditDeniedItems(c, {
      verb: 'start',
      items: answer.flatMap((one, item) => (one.status === 'FAILED' ? [{ item, msg: one.msg }] : [])),
    });
    return c.json([...answer], 200);
  });
  return app;
}
