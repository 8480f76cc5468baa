/**
 * An api as the program sees it: a report receiver whose answers a test sets, which takes held records and plans, and
 * tells the approved records.
 */

import { type Context, Hono } from 'hono';
import type { Report } from '../../../src/domain/report.ts';
import { serveApp } from './serve.ts';

export type HeldPage = {
  readonly page: number;
  readonly last: boolean;
  readonly live: number;
  readonly records: readonly ToldRecord[];
};

export type ToldRecord = {
  readonly id: string;
  readonly missing_since: string;
  readonly last_seen: string | null;
  readonly updated_at: string;
  readonly record: unknown;
};

export type ToldValue = {
  readonly updated_at: string | null;
  readonly record: Record<string, unknown> | null;
};

export type ToldStory = {
  readonly live: ToldValue | null;
  readonly kept: { readonly reason: string; readonly since: string; readonly checked: string } | null;
  readonly last_seen: string | null;
  readonly begins: Record<string, string | null> | null;
  readonly older: number;
  readonly entries: readonly {
    readonly at: string;
    readonly kind: string;
    readonly action: string | null;
    readonly job_uid: string | null;
    readonly reason: string | null;
    readonly changed: readonly string[] | null;
    readonly changed_by_others: boolean;
    readonly before: ToldValue | null;
    readonly after: ToldValue | null;
  }[];
};

export type PlanPage = {
  readonly page: number;
  readonly last: boolean;
  readonly records: readonly PlannedRecord[];
  readonly summary?: PlanTold;
};

export type PlannedRecord = {
  readonly id: string;
  readonly kind: 'added' | 'updated' | 'removed' | 'held';
  readonly before: unknown;
  readonly after: unknown;
};

export type PlanTold = {
  readonly of: string;
  readonly digest: string;
  readonly watermark: string | null;
} & Record<'live' | 'listed' | 'added' | 'updated' | 'removed' | 'held' | 'kept', number>;

export type FakeReceiver = {
  readonly url: string;
  readonly reports: Report[];
  readonly authorizations: (string | undefined)[];
  /** Default 204. */
  answer: (report: Report, count: number) => Response | Promise<Response>;
  /** Every page of held records that came, with the length of its body. */
  readonly pages: (HeldPage & { readonly bytes: number })[];
  /** The waiting set of the last whole upload; null without one. */
  waiting: readonly ToldRecord[] | null;
  /** Answers a page instead of storing it. */
  answerHeld: ((page: HeldPage & { readonly raw: string }) => Response | undefined) | null;
  /** Every story that came. */
  readonly stories: ToldStory[];
  /** Answers a story instead of taking it. */
  answerStory: (() => Response) | null;
  /** Every page of a plan that came, with the length of its body. */
  readonly planPages: (PlanPage & { readonly bytes: number })[];
  /** The last whole plan; null without one. */
  plan: { readonly summary: PlanTold; readonly records: readonly PlannedRecord[] } | null;
  /** Answers a page of a plan instead of storing it. */
  answerPlan: ((page: PlanPage & { readonly raw: string }) => Response | undefined) | null;
  /** The ids of the approval, in the order in which they are told; null: the job has no approval. */
  approved: readonly string[] | null;
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
  app.post('/held', (c) => takeHeld(c));
  app.post('/story', async (c) => {
    receiver.authorizations.push(c.req.header('authorization'));
    const answer = receiver.answerStory?.();
    if (answer) return answer;
    receiver.stories.push(await c.req.json<ToldStory>());
    return c.json({ told: true });
  });
  app.post('/plan', (c) => takePlan(c));
  app.get('/approved-removals', (c) => tellApproved(c));
  const server = await serveApp(app);
  const receiver: FakeReceiver = {
    url: `${server.url}/report`,
    reports: [],
    authorizations: [],
    answer: () => new Response(null, { status: 204 }),
    pages: [],
    waiting: null,
    answerHeld: null,
    planPages: [],
    plan: null,
    answerPlan: null,
    approved: null,
    stories: [],
    answerStory: null,
    close: () => server.close(),
  };
  let upload: HeldPage[] = [];

  async function takeHeld(c: Context): Promise<Response> {
    const text = await c.req.text();
    const page = JSON.parse(text) as HeldPage;
    receiver.pages.push({ ...page, bytes: Buffer.byteLength(text) });
    receiver.authorizations.push(c.req.header('authorization'));
    const answer = receiver.answerHeld?.({ ...page, raw: text });
    if (answer) return answer;
    if (page.page === 0) upload = [];
    if (page.page !== upload.length)
      return c.json({ code: 'page_out_of_order', expected: upload.length }, 409);
    upload.push(page);
    const records = upload.flatMap((one) => one.records);
    if (page.last) receiver.waiting = records;
    return c.json({ stored: records.length });
  }

  let planned: PlanPage[] = [];

  async function takePlan(c: Context): Promise<Response> {
    const text = await c.req.text();
    const page = JSON.parse(text) as PlanPage;
    receiver.planPages.push({ ...page, bytes: Buffer.byteLength(text) });
    receiver.authorizations.push(c.req.header('authorization'));
    const answer = receiver.answerPlan?.({ ...page, raw: text });
    if (answer) return answer;
    if (page.page === 0) planned = [];
    if (page.page !== planned.length)
      return c.json({ code: 'page_out_of_order', expected: planned.length }, 409);
    planned.push(page);
    const records = planned.flatMap((one) => one.records);
    if (page.last && page.summary) receiver.plan = { summary: page.summary, records };
    return c.json({ stored: records.length });
  }

  function tellApproved(c: Context): Response {
    receiver.authorizations.push(c.req.header('authorization'));
    const { approved } = receiver;
    if (approved === null) return c.json({ code: 'no_approval' }, 404);
    const after = c.req.query('after');
    const from = after === undefined ? 0 : approved.indexOf(after) + 1;
    const ids = approved.slice(from, from + Number(c.req.query('limit')));
    const isLast = from + ids.length >= approved.length;
    return c.json({ ids, next: isLast ? null : ids.at(-1) });
  }

  return receiver;
}
