/** `GET /jobs/:id/reports`: points of a job's progress over time, for a chart. */
import { z } from '@hono/zod-openapi';
import { findJobUid } from '../../db/views/job-views.ts';
import { listReportPoints } from '../../db/views/report-points.ts';
import { REPORT_POINTS } from '../../domain/report.ts';
import { idParam, isoTime } from '../http/fields.ts';
import { noJob } from '../jobs/jobs.ts';
import { masked } from '../http/mask.ts';
import { defineRoute, subApp } from '../http/route.ts';

const pointSchema = z
  .object({
    step: z.int().describe('The step, from 0.'),
    attempt: z.int().describe('The attempt of the step, from 1.'),
    at: isoTime.describe('When the report arrived.'),
    phase: z.string().describe('The phase that the program reported.'),
    records_done: z.int().nullable().describe('Records processed so far; null if not reported.'),
    records_total: z.int().nullable().describe('Records to process; null if unknown.'),
  })
  .openapi('ReportPoint', {
    example: {
      step: 0,
      attempt: 1,
      at: '2026-11-22T01:00:06.000Z',
      phase: 'reading',
      records_done: 3000,
      records_total: 48211,
    },
  });

const reportsRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/reports',
  tag: 'jobs',
  summary: "List points of a job's progress",
  description: `Returns at most ${REPORT_POINTS} points of all steps and attempts, evenly thinned, with the first and the last point of each attempt.`,
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'Points, by step, attempt and time.', schema: z.array(pointSchema) } },
  errors: [noJob(7)],
});

export function reportPoints() {
  const app = subApp();
  app.openapi(reportsRoute, async (c) => {
    const { id } = c.req.valid('param');
    const points = await listReportPoints(c.var.db, id, REPORT_POINTS);
    if (points.length === 0 && (await findJobUid(c.var.db, id)) === undefined) throw noJob(id);
    return c.json(
      points.map((point) => ({ ...point, at: point.at.toISOString(), phase: masked(point.phase) })),
    );
  });
  return app;
}
