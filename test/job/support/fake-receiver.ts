/** A report receiver whose answers a test sets. */

import { Hono } from 'hono';
import type { Report } from '../../../src/domain/report.ts';
import { serveApp } from './serve.ts';

export type FakeReceiver = {
  readonly url: string;
  readonly reports: Report[];
  readonly authorizations: (string | undefined)[];
  /** Default 204. */
  answer: (report: Report, count: number) => Response | Promise<Response>;
  close(): Promise<void>;
};

export async function startFakeReceiver(): Promise<FakeReceiver> {
  const app = new Hono();
  app.put('/report', async (c) => {
    const report = await c.req.json<Report>();
    receiver.reports.push(report);
    receiver.authorizations.push(c.req.header('authorization'));
    return await receiver.answer(report, receiver.reports.length);
  });
  const server = await serveApp(app);
  const receiver: FakeReceiver = {
    url: `${server.url}/report`,
    reports: [],
    authorizations: [],
    answer: () => new Response(null, { status: 204 }),
    close: () => server.close(),
  };
  return receiver;
}
