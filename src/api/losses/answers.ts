/** `/losses/:id/approve`, `/losses/:id/keep`: a person's answers to a loss. */
import { z } from '@hono/zod-openapi';
import { KEEP_DAYS } from '../../domain/loss.ts';
import type { ApiDeps } from '../context.ts';
import { idParam, text } from '../http/fields.ts';
import { bodyProblem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { SUBMIT_REFUSALS } from '../jobs/start-answer.ts';
import { digestField, EXAMPLE_LOSS, lossSchema } from './loss-schema.ts';
import {
  alreadyApproved,
  lossChanged,
  lossResolved,
  noLoss,
  nothingWaits,
  ownJob,
  removalActive,
} from './refusals.ts';

const MOST_REASON = 500;
const MOST_IDS = 10_000;
const KEEP_LIMIT = 2 * 1024 * 1024;

const reason = text(MOST_REASON)
  .refine((value) => value.trim() !== '', 'is empty: say why')
  .describe('Why; the audit keeps it.');

const approveBody = z
  .strictObject({
    digest: digestField.describe('The digest of the loss as you have seen it.'),
    reason,
  })
  .openapi('Approve', {
    example: { digest: EXAMPLE_LOSS.digest, reason: 'the archive was closed on Friday' },
  });

const keepBody = z
  .strictObject({
    digest: digestField.describe('The digest of the loss as you have seen it.'),
    reason,
    ids: z.array(text(1000, 1)).min(1).max(MOST_IDS).optional().describe('The records to keep.'),
    all: z.literal(true).optional().describe('Keep all records that wait, instead of `ids`.'),
    days: z
      .int()
      .min(KEEP_DAYS.least)
      .max(KEEP_DAYS.most)
      .optional()
      .describe(`Days for which they are not proposed again; ${KEEP_DAYS.usual} by default.`),
  })
  .refine(({ ids, all }) => (ids === undefined) !== (all === undefined), {
    path: ['ids'],
    error: 'give either ids or all: true',
  })
  .openapi('Keep', {
    example: { digest: EXAMPLE_LOSS.digest, reason: 'these are still for sale', ids: ['k00042'], days: 30 },
  });

const CHANGED = lossChanged(
  { id: 7, count: 1207, digest: '9d1c2f7f2f6c1a553f0c9a71b2d84e65' },
  'it has 1207 records now, 3 more than yours',
);

const approveRoute = defineRoute({
  method: 'post',
  path: '/losses/{id}/approve',
  tag: 'losses',
  summary: 'Approve that the records of a loss are removed',
  description:
    'Needs the right `approve`. The last approval that is needed starts a job of action `remove`, which looks at the source ' +
    'again and removes exactly the approved records that are still missing.',
  access: 'operator',
  verb: 'approve-loss',
  touches: 'jobs',
  deadline: 'user',
  params: idParam,
  json: approveBody,
  answers: {
    202: {
      description:
        'The approval is stored. `removal_job_id` names the removal once enough people have approved.',
      schema: lossSchema,
      example: {
        ...EXAMPLE_LOSS,
        approvals: [
          { by: 'ada', reason: 'the archive was closed on Friday', at: '2026-11-22T09:00:00.000Z' },
        ],
        removal_job_id: 38,
      },
    },
  },
  errors: [
    noLoss(7),
    ownJob(7, 'ada', 37),
    alreadyApproved(7, 'ada', null),
    removalActive(7, 38),
    nothingWaits(7),
    CHANGED,
    lossResolved(7),
    ...SUBMIT_REFUSALS.filter(({ status }) => status === 409),
  ],
});

const keepRoute = defineRoute({
  method: 'post',
  path: '/losses/{id}/keep',
  tag: 'losses',
  summary: 'Keep records of a loss',
  description:
    'Needs the right `approve`. The records stay live and are not proposed for removal until the days are over. The digest ' +
    'of the loss changes.',
  access: 'operator',
  verb: 'keep-loss',
  touches: 'jobs',
  deadline: 'user',
  params: idParam,
  json: keepBody,
  bodyLimit: KEEP_LIMIT,
  answers: { 200: { description: 'The loss without these records.', schema: lossSchema } },
  errors: [noLoss(7), notWaiting('k00043'), removalActive(7, 38), CHANGED, lossResolved(7)],
});

export function answerRoutes(_deps: ApiDeps) {
  const app = subApp();
  app.openapi(approveRoute, (c) => {
    throw noLoss(c.req.valid('param').id);
  });
  app.openapi(keepRoute, (c) => {
    throw noLoss(c.req.valid('param').id);
  });
  return app;
}

function notWaiting(id: string) {
  return bodyProblem([{ field: 'ids', message: `'${id}' does not wait in this loss` }]);
}
