/** `/jobs/:id/plan`: what a program would change, as it planned it. */
import { z } from '@hono/zod-openapi';
import { findJobOptions } from '../../db/views/job-views.ts';
import { storePlanPage } from '../../db/plans/uploads.ts';
import { PLANNABLE } from '../../domain/action.ts';
import { PLAN_KINDS } from '../../domain/change-plan.ts';
import { plannedBy } from '../../domain/options.ts';
import type { ApiDeps } from '../context.ts';
import { count, idParam, text, timeOrNull } from '../http/fields.ts';
import { bodyProblem, Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { ATTEMPT_REFUSALS, tokensAttempt } from './attempt-token.ts';
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

const WHAT = "the plan's records";

const content = z.record(z.string(), z.unknown()).nullable();

const plannedRecord = z.strictObject({
  id: text(MOST_ID, 1).describe('The id of the record.'),
  kind: z.enum(PLAN_KINDS).describe('What applying the plan would do with it.'),
  before: content.describe('The live record; null if there is none, or its JSON is larger than 64 KiB.'),
  after: content.describe('What it would become; null if it would go, or its JSON is larger than 64 KiB.'),
});

const summary = z
  .strictObject({
    of: z.enum(PLANNABLE).describe('The planned action.'),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 of 0-9 and a-f')
      .describe('Identifies everything that applying the plan would do.'),
    live: count.describe('Live records of the target.'),
    listed: count.describe('Records that were read from the source.'),
    added: count.describe('Records that would be added.'),
    updated: count.describe('Records that would change.'),
    removed: count.describe('Records that would be removed.'),
    held: count.describe('Records that would be held: their removal waits for an answer.'),
    kept: count.describe('Records that would stay although the source lacks them, for any reason.'),
    watermark: timeOrNull.describe(
      'Where the next delta would then read from; null: it compares everything.',
    ),
  })
  .openapi('PlanSummary');

const pageSchema = z
  .strictObject({
    ...pageOfUpload('the upload is then the plan of its job.'),
    records: z
      .array(plannedRecord)
      .max(MOST_RECORDS)
      .describe('Records in the order of their kinds, and of each kind in the byte order of their ids.'),
    summary: summary.optional().describe('On the last page: the whole counts, also of records not uploaded.'),
  })
  .refine(({ last, summary: given }) => last === (given !== undefined), {
    path: ['summary'],
    error: 'belongs on the last page, and on no other',
  })
  .openapi('PlanPage', {
    example: {
      page: 0,
      last: true,
      records: [
        {
          id: 'k00042',
          kind: 'updated',
          before: { id: 'k00042', name: 'Gent', population: 265_086 },
          after: { id: 'k00042', name: 'Ghent', population: 265_086 },
        },
      ],
      summary: {
        of: 'sync',
        digest: '3f0c9a71b2d84e653f0c9a71b2d84e653f0c9a71b2d84e653f0c9a71b2d84e65',
        live: 48_211,
        listed: 48_211,
        added: 0,
        updated: 1,
        removed: 0,
        held: 0,
        kept: 0,
        watermark: '2026-11-22T01:00:00.000Z',
      },
    },
  });

const uploadRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/plan',
  tag: 'plans',
  summary: 'Upload what a job would change',
  description:
    'For the program of a job of action `plan`, with its SYNCRATOR_REPORT_TOKEN, page by page. Repeating a page is harmless.',
  access: 'report',
  deadline: 'user',
  params: idParam,
  json: pageSchema,
  bodyLimit: UPLOAD_LIMIT,
  mendBody: withoutUnfitContents(['before', 'after']),
  answers: {
    200: {
      description: 'The page was stored; after the last one the plan is complete.',
      schema: storedAnswer.openapi('PlanVerdict', { example: { stored: 1 } }),
    },
  },
  errors: [...ATTEMPT_REFUSALS, plansNothing(7), pageOutOfOrder(WHAT, 7, 3)],
});

export function planUpload({ config }: ApiDeps) {
  const app = subApp();
  app.openapi(uploadRoute, async (c) => {
    const of = await tokensAttempt(c, config, c.req.valid('param').id);
    const { id: jobId, step, attempt } = of;
    const page = c.req.valid('json');
    const job = await findJobOptions(c.var.db, jobId);
    const planned = job && plannedBy(job);
    if (planned === undefined) throw plansNothing(jobId);
    if (page.summary !== undefined && page.summary.of !== planned)
      throw bodyProblem([{ field: 'summary.of', message: `job ${jobId} plans a ${planned}` }]);
    const verdict = await storePlanPage(c.var.db, { jobId, step, attempt }, page);
    return c.json(answerOf(verdict, { what: WHAT, of, page }));
  });
  return app;
}

function plansNothing(id: number): Problem {
  return new Problem(
    404,
    'no_plan',
    `job ${id} plans nothing; POST /plan/{action}/{target}/{env} starts one that does`,
  );
}
