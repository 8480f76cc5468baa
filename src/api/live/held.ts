/** `/jobs/:id/held`, `/jobs/:id/approved-removals`: what a program holds back, and what it may remove. */
import { z } from '@hono/zod-openapi';
import { attemptRefusal, readAttempt } from '../../db/jobs/attempts.ts';
import { BLOCK, readApprovedIds } from '../../db/losses/removals.ts';
import { storeHeldPage } from '../../db/losses/uploads.ts';
import { approvalOf } from '../../domain/options.ts';
import { LOSS_REASONS } from '../../domain/loss.ts';
import type { ApiDeps } from '../context.ts';
import { count, digits, idParam, text, time, timeOrNull } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { ATTEMPT_REFUSALS, refusedAttempt, tokensAttempt } from './attempt-token.ts';
import { sourceTime } from './source-time.ts';
import {
  answerOf,
  MOST_ID,
  MOST_RECORDS,
  pageOfUpload,
  pageOutOfOrder,
  storedAnswer,
  UPLOAD_LIMIT,
  withoutUnfitContents,
} from './uploads.ts';

const MOST_IDS = BLOCK;
const WHAT = 'the held records';

const heldRecord = z.strictObject({
  id: text(MOST_ID, 1).describe('The id of the record.'),
  missing_since: time.describe('Since when the listing lacks it.'),
  last_seen: timeOrNull.describe('The last full listing that had it; null if unknown.'),
  updated_at: sourceTime.describe('When the record was last changed; null if unknown.'),
  record: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('The live record; null if its JSON is larger than 64 KiB, or too deep to be shown.'),
});

const heldSchema = z
  .strictObject({
    ...pageOfUpload('the uploaded set then replaces the waiting one.'),
    live: count.describe('Live records of the target.'),
    reason: z
      .enum(LOSS_REASONS)
      .optional()
      .describe('Why this job has held records, if it has held further ones; `over_threshold` by default.'),
    records: z
      .array(heldRecord)
      .max(MOST_RECORDS)
      .describe('Held records, in the byte order of their ids over all pages.'),
  })
  .openapi('HeldPage', {
    example: {
      page: 0,
      last: true,
      live: 48_211,
      records: [
        {
          id: 'k00042',
          missing_since: '2026-11-22T01:08:20.000Z',
          last_seen: '2026-11-21T01:08:11.000Z',
          updated_at: '2026-10-03T12:00:00.000Z',
          record: { id: 'k00042', name: 'Gent', population: 265_086 },
        },
      ],
    },
  });

const heldRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/held',
  tag: 'losses',
  summary: 'Upload the held records of a target',
  description:
    'For the program of a running attempt, with its SYNCRATOR_REPORT_TOKEN: the whole waiting set of its target, page by ' +
    'page, also an empty one. Repeating a page is harmless.',
  access: 'report',
  deadline: 'user',
  params: idParam,
  json: heldSchema,
  bodyLimit: UPLOAD_LIMIT,
  mendBody: withoutUnfitContents(['record']),
  answers: {
    200: {
      description: 'The page was stored; after the last one the set is complete.',
      schema: storedAnswer.openapi('HeldVerdict', { example: { stored: 1 } }),
    },
  },
  errors: [...ATTEMPT_REFUSALS, pageOutOfOrder(WHAT, 7, 3)],
});

const approvedRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/approved-removals',
  tag: 'losses',
  summary: 'List the ids that a removal may remove',
  description: 'For the program of a job of action `remove`, with its SYNCRATOR_REPORT_TOKEN.',
  access: 'report',
  params: idParam,
  query: z.strictObject({
    after: text(MOST_ID).optional().openapi({ description: 'Only ids behind this one.', example: 'k00042' }),
    limit: digits(1, MOST_IDS)
      .optional()
      .openapi({ description: `Ids per page; ${MOST_IDS} by default.`, example: MOST_IDS }),
  }),
  answers: {
    200: {
      description: 'One page of the ids that were approved, in byte order.',
      schema: z
        .object({
          ids: z.array(z.string()).describe('The ids.'),
          next: z.string().nullable().describe('The `after` of the next page; null on the last one.'),
        })
        .openapi('ApprovedRemovals', { example: { ids: ['k00042', 'k00043'], next: null } }),
    },
  },
  errors: [...ATTEMPT_REFUSALS, noApproval(7)],
});

export function held({ config }: ApiDeps) {
  const app = subApp();
  app.openapi(heldRoute, async (c) => {
    const of = await tokensAttempt(c, config, c.req.valid('param').id);
    const { id: jobId, step, attempt } = of;
    const page = c.req.valid('json');
    const verdict = await storeHeldPage(c.var.db, { jobId, step, attempt }, page);
    return c.json(answerOf(verdict, { what: WHAT, of, page }));
  });
  app.openapi(approvedRoute, async (c) => {
    const of = await tokensAttempt(c, config, c.req.valid('param').id);
    const { id: jobId, step, attempt } = of;
    const found = await readAttempt(c.var.db, { jobId, step, attempt }, { lock: false });
    if (!found) throw refusedAttempt.unknown(of);
    const refused = attemptRefusal(found);
    if (refused) throw refusedAttempt[refused](of);
    const removal = approvalOf({ action: found.jobAction, options: found.options });
    if (removal === undefined) throw noApproval(jobId);
    const { env, target } = found;
    const { after = '', limit = MOST_IDS } = c.req.valid('query');
    const page = await readApprovedIds(c.var.db, { env, target, removal, after, limit });
    if (!page) throw noApproval(jobId);
    return c.json(page);
  });
  return app;
}

function noApproval(id: number): Problem {
  return new Problem(
    404,
    'no_approval',
    `job ${id} has no approval to remove records; approve a loss (GET /losses) to start a removal`,
  );
}
