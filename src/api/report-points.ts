/** `GET /jobs/:id/reports`: how a job's records came along over time, for a chart. */
import { z } from '@hono/zod-openapi';
import { findJobUid } from '../db/job-views.ts';
import { listReportPoints } from '../db/report-points.ts';
import { REPORT_POINTS } from '../domain/report-points.ts';
import { idParam, isoTime } from './fields.ts';
import { noJob } from './jobs.ts';
import { masked } from './mask.ts';
import { defineRoute, subApp } from './route.ts';

const pointSchema = z
  .object({
    step: z.int(),
    attempt: z.int(),
    at: isoTime,
    phase: z.string(),
    records_done: z.int().nullable(),
    records_total: z.int().nullable(),
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
export type ReportPointJson = z.infer<typeof pointSchema>;

const reportsRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/reports',
  tag: 'jobs',
  summary: 'Its progress over time',
  description: `At most ${REPORT_POINTS} points of all steps and attempts, evenly thinned; the first and the last of each attempt are among them.`,
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'By step, attempt and time.', schema: z.array(pointSchema) } },
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
