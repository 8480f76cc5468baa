/** `PUT /jobs/:id/report`: what a running attempt tells us, under the token made for it alone. */
import { z } from '@hono/zod-openapi';
import { findJobUid } from '../db/job-views.ts';
import { storeReport } from '../db/reports.ts';
import type { Report } from '../domain/report.ts';
import { verifyReportToken } from '../report-token.ts';
import { bearerToken, noReportToken, reportToken } from './access.ts';
import type { ApiDeps } from './context.ts';
import { count, idParam, MOST_INTEGER, text } from './fields.ts';
import { noJob } from './jobs.ts';
import { masked } from './mask.ts';
import { Problem } from './problem.ts';
import { ReportRate } from './report-rate.ts';
import { defineRoute, subApp } from './route.ts';

/** Mostly the checkpoint, which names the items that failed. */
const REPORT_LIMIT = 64 * 1024;
const CHECKPOINT_LIMIT = 56 * 1024;

const reportSchema = z
  .strictObject({
    seq: z.int().min(1).max(MOST_INTEGER),
    phase: text(100, 1),
    records_done: count.optional(),
    records_total: count.nullable().optional(),
    added: count.optional(),
    updated: count.optional(),
    deleted: count.optional(),
    failed: count.optional(),
    checkpoint: z
      .unknown()
      .optional()
      .refine(
        (value) => (JSON.stringify(value) ?? '').length <= CHECKPOINT_LIMIT,
        'must be at most 56 KiB of JSON',
      ),
    data_source: text(500).optional(),
    options: text(2000).optional(),
    version: text(100).optional(),
    target_datastore_url: text(1000).optional(),
    message: text(4096).optional(),
  })
  .openapi('Report', {
    example: { seq: 3, phase: 'reading', records_done: 3000, records_total: 48211, added: 12, updated: 2988 },
  }) satisfies z.ZodType<Report>;

type Attempt = { readonly id: number; readonly step: number; readonly attempt: number };
const EXAMPLE: Attempt = { id: 7, step: 0, attempt: 1 };

const refusals = {
  cancelling: ({ id }: Attempt) =>
    new Problem(409, 'cancelling', `job ${id} is being cancelled; this attempt must not begin`),
  ended: ({ id, step, attempt }: Attempt) =>
    new Problem(410, 'ended', `attempt ${attempt} of step ${step} of job ${id} has ended`),
  unknown: ({ id, step, attempt }: Attempt) =>
    new Problem(404, 'unknown_attempt', `job ${id} has no attempt ${attempt} of step ${step}`),
};

const reportRoute = defineRoute({
  method: 'put',
  path: '/jobs/{id}/report',
  tag: 'jobs',
  summary: "A running attempt's report",
  access: 'report',
  params: idParam,
  json: reportSchema,
  bodyLimit: REPORT_LIMIT,
  answers: {
    200: {
      description: 'Taken, or (accepted: false) older than what is known already.',
      schema: z.object({ accepted: z.boolean() }),
      example: { accepted: true },
    },
  },
  errors: [
    noReportToken(),
    otherToken(7),
    noJob(7),
    refusals.unknown(EXAMPLE),
    refusals.cancelling(EXAMPLE),
    refusals.ended(EXAMPLE),
    tooManyReports(1),
  ],
});

export function reports({ config }: ApiDeps) {
  const app = subApp();
  const rate = new ReportRate();
  app.openapi(reportRoute, async (c) => {
    const { id } = c.req.valid('param');
    const token = bearerToken(c.req.header('authorization'));
    const claimed = reportToken(token);
    const uid = await findJobUid(c.var.db, id);
    if (uid === undefined) throw noJob(id);
    if (!verifyReportToken(config.secrets, token, uid)) throw otherToken(id);
    const { step, attempt } = claimed;
    const wait = rate.take(`${id}.${step}.${attempt}`);
    if (wait > 0) throw tooManyReports(wait);
    const report = c.req.valid('json');
    const verdict = await storeReport(
      c.var.db,
      { jobId: id, step, attempt },
      {
        ...report,
        data_source: masked(report.data_source),
        options: masked(report.options),
        target_datastore_url: masked(report.target_datastore_url),
        message: masked(report.message),
      },
    );
    if (verdict.kind !== 'accepted' && verdict.kind !== 'stale')
      throw refusals[verdict.kind]({ id, step, attempt });
    return c.json({ accepted: verdict.kind === 'accepted' });
  });
  return app;
}

function otherToken(id: number): Problem {
  return new Problem(403, 'other_token', `the token was not made for an attempt of job ${id}`);
}

function tooManyReports(seconds: number): Problem {
  return new Problem(429, 'too_many_reports', 'more than one report a second', {
    headers: { 'retry-after': String(seconds) },
  });
}
