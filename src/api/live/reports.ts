/** `PUT /jobs/:id/report`: stores the report of a running attempt, authorised by the token of that attempt. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { storeReport } from '../../db/jobs/reports.ts';
import { maskedWithin } from '../../domain/mask.ts';
import type { Report } from '../../domain/report.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { count, idParam, MOST_INTEGER, text } from '../http/fields.ts';
import { masked } from '../http/mask.ts';
import { Problem } from '../http/problem.ts';
import { ATTEMPT_REFUSALS, type Attempt, refusedAttempt, tokensAttempt } from './attempt-token.ts';
import { toldFacts } from './report-facts.ts';
import { ReportRate } from './report-rate.ts';
import { defineRoute, subApp } from '../http/route.ts';

/** Bytes of a report: mostly the checkpoint and the failed items, which have their own limits. */
const REPORT_LIMIT = 192 * 1024;
const CHECKPOINT_LIMIT = 56 * 1024;

const reportSchema = z
  .strictObject({
    seq: z
      .int()
      .min(1)
      .max(MOST_INTEGER)
      .describe('Number of the report: 1, 2, 3 …; later ones replace earlier ones.'),
    phase: text(100, 1).describe('What the program is doing, in a word.'),
    records_done: count.optional().describe('Records processed so far.'),
    records_total: count.nullable().optional().describe('Records to process; null if unknown.'),
    added: count.optional().describe('Records added.'),
    updated: count.optional().describe('Records updated.'),
    deleted: count.optional().describe('Records deleted.'),
    failed: count.optional().describe('Records set aside because they failed.'),
    checkpoint: z
      .unknown()
      .optional()
      .refine(
        (value) => (JSON.stringify(value) ?? '').length <= CHECKPOINT_LIMIT,
        'must be at most 56 KiB of JSON',
      )
      .describe('Where a later attempt continues; any JSON.'),
    data_source: text(500).optional().describe('Where the program reads from.'),
    options: text(2000).optional().describe('The options that the program runs with.'),
    version: text(100).optional().describe('The version of the program.'),
    target_datastore_url: text(1000)
      .optional()
      .describe('Where the program writes to; credentials are masked.'),
    message: text(4096).optional().describe('A sentence for the operator.'),
    ...toldFacts,
  })
  .openapi('Report', {
    example: { seq: 3, phase: 'reading', records_done: 3000, records_total: 48211, added: 12, updated: 2988 },
  }) satisfies z.ZodType<Report>;

const reportRoute = defineRoute({
  method: 'put',
  path: '/jobs/{id}/report',
  tag: 'jobs',
  summary: 'Report the progress of an attempt',
  description:
    'For the program of a running attempt, with its SYNCRATOR_REPORT_TOKEN. Send at most one report a second.',
  access: 'report',
  params: idParam,
  json: reportSchema,
  bodyLimit: REPORT_LIMIT,
  answers: {
    200: {
      description: 'The report was stored, or ignored because a newer one is stored.',
      schema: z
        .object({ accepted: z.boolean().describe('False if a report with this or a later `seq` is stored.') })
        .openapi('ReportVerdict'),
      example: { accepted: true },
    },
  },
  errors: [...ATTEMPT_REFUSALS, leap(2_000_000_000, 3), tooManyReports(1)],
});

export function reports({ config }: ApiDeps) {
  const app = subApp();
  const rate = new ReportRate();
  app.openapi(reportRoute, async (c) => {
    const { id, step, attempt } = await tokensAttempt(c, config, c.req.valid('param').id);
    const wait = rate.take(`${id}.${step}.${attempt}`);
    if (wait > 0) throw tooManyReports(wait);
    const report = c.req.valid('json');
    const verdict = await storeReport(
      c.var.db,
      { jobId: id, step, attempt },
      {
        ...report,
        phase: masked(report.phase),
        version: masked(report.version),
        data_source: masked(report.data_source),
        options: masked(report.options),
        target_datastore_url: masked(report.target_datastore_url),
        message: masked(report.message),
        waiting_for: masked(report.waiting_for),
        warnings: maskedWithin(report.warnings),
        failed_items: maskedWithin(report.failed_items),
        rollback_preview: maskedWithin(report.rollback_preview),
      },
    );
    if (verdict.kind === 'leap') {
      const problem = leap(report.seq, verdict.newest);
      await noteLeap(c, { id, step, attempt }, problem);
      throw problem;
    }
    if (verdict.kind !== 'accepted' && verdict.kind !== 'stale')
      throw refusedAttempt[verdict.kind]({ id, step, attempt });
    return c.json({ accepted: verdict.kind === 'accepted' });
  });
  return app;
}

/** Audits a leap of `seq`: a stolen token or a broken program. Accepting it would make all true reports stale. */
async function noteLeap(c: Context<ApiEnv, string>, of: Attempt, problem: Problem): Promise<void> {
  const who = `job ${of.id}, step ${of.step}, attempt ${of.attempt}`;
  await c.var.denials.note(
    c,
    { id: `report ${who}`, shown: who },
    { verb: 'report', object: `job ${of.id}`, refused: problem.code, detail: { message: problem.message } },
  );
}

function leap(seq: number, newest: number): Problem {
  const detail = `seq ${seq} is too high: the newest is ${newest}; increase seq by one for each report`;
  return new Problem(409, 'seq_leaps', detail);
}

function tooManyReports(seconds: number): Problem {
  return new Problem(429, 'too_many_reports', 'more than one report a second: wait, then try again', {
    headers: { 'retry-after': String(seconds) },
  });
}
