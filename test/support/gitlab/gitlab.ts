/** A stand-in for a hosted GitLab: its REST API behind a token, and the webhooks it delivers. */
import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { serveApp } from '../../job/support/serve.ts';
import { FakeBank, type FakeCommit, type FakeHook } from './bank.ts';
import { routes } from './routes.ts';

export const TOKEN = 'glpat-Secret0fTheItemBank';
export const GROUP = 'item-bank';

export type GitlabCall = {
  readonly method: string;
  /** `projects`, `project`, `hooks`, `hook`, `push_events` (a test delivery), `commits`, `raw`, `version` */
  readonly what: string;
  readonly project: number | null;
  readonly query: Readonly<Record<string, string>>;
};

export type Delivery = { readonly status: number; readonly ms: number };

export type FakeGitlab = {
  readonly url: string;
  readonly bank: FakeBank;
  readonly calls: GitlabCall[];
  /** Tokens that callers sent, right or wrong. */
  readonly tokens: (string | undefined)[];
  token: string;
  /** X-Total is left out above this number of projects. */
  countsTo: number;
  /** The answer that it got for the test delivery of a webhook. */
  receives: number;
  /** How far its clock is from ours; null: its answers carry no time. */
  skewMs: number | null;
  /** Its address as its links show it. */
  base: string;
  /** A response instead of the usual one; undefined: the usual one. */
  bend: ((call: GitlabCall) => Response | undefined | Promise<Response | undefined>) | null;
  count(what: string, method?: string): number;
  /** Commits to a project and delivers its push hooks; resolves with their answers. */
  push(
    id: number,
    content: unknown,
    of?: { branch?: string },
  ): Promise<{ commit: FakeCommit; deliveries: Delivery[] }>;
  deliver(hook: Pick<FakeHook, 'url' | 'token'>, event: string, body: unknown): Promise<Delivery>;
  close(): Promise<void>;
};

/** Accepts the call and never answers. */
export const stall = (): Promise<Response> => new Promise(() => {});

export const tooMany = (headers: Record<string, string>): Response =>
  new Response('{"message":"429 Too Many Requests"}', { status: 429, headers });

/** The page that a proxy in front of it shows instead. */
export const loginPage = (): Response =>
  new Response('<html><form action="/login">', { headers: { 'content-type': 'text/html' } });

/** Sends headers and half a body, then cuts the connection. */
export function cutShort(): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('[{"id":'));
      setImmediate(() => controller.error(new Error('cut')));
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/json' } });
}

/** The quota headers that gitlab.com sends with every answer: https://docs.gitlab.com/user/gitlab_com/ */
function quota(observed: number): Record<string, string> {
  return {
    'ratelimit-limit': '2000',
    'ratelimit-observed': String(observed),
    'ratelimit-remaining': String(Math.max(0, 2_000 - observed)),
    'ratelimit-reset': String((Math.floor(Date.now() / 60_000) + 1) * 60),
  };
}

export async function startGitlab(): Promise<FakeGitlab> {
  const bank = new FakeBank();
  const app = new Hono();
  app.use('/api/v4/*', async (c, next) => {
    if (self.skewMs === null) (c.env as HttpBindings).outgoing.sendDate = false;
    const call = callOf(c.req.method, c.req.path, c.req.query());
    self.calls.push(call);
    self.tokens.push(c.req.header('private-token'));
    if (c.req.header('private-token') !== self.token) return c.json({ message: '401 Unauthorized' }, 401);
    const bent = await self.bend?.(call);
    if (bent) c.res = bent;
    else await next();
    // Without an own Date, the server's.
    if (self.skewMs) c.res.headers.set('date', new Date(Date.now() + self.skewMs).toUTCString());
    // An answer of the limiter has exactly the headers that the test set.
    if (c.res.status !== 429) {
      for (const [name, value] of Object.entries(quota(self.calls.length))) c.res.headers.set(name, value);
    }
  });
  app.route(
    '/api/v4',
    routes(bank, {
      group: GROUP,
      countsTo: () => self.countsTo,
      base: () => self.base,
      deliver: async () => self.receives,
    }),
  );
  const server = await serveApp(app);
  const self: FakeGitlab = {
    url: server.url,
    bank,
    calls: [],
    tokens: [],
    token: TOKEN,
    countsTo: 10_000,
    receives: 202,
    skewMs: 0,
    base: server.url,
    bend: null,
    count: (what, method = 'GET') =>
      self.calls.filter((call) => call.what === what && call.method === method).length,
    async push(id, content, of = {}) {
      const project = bank.project(id);
      const branch = of.branch ?? project.defaultBranch;
      const before = project.branches.get(branch)?.at(-1)?.sha ?? '0'.repeat(40);
      const commit = bank.commit(id, content, { branch });
      const body = pushEvent({
        id,
        path: project.path,
        branch,
        defaultBranch: project.defaultBranch,
        before,
        after: commit.sha,
      });
      const hooks = project.hooks.filter((hook) => hook.push_events);
      const deliveries = await Promise.all(hooks.map((hook) => self.deliver(hook, 'Push Hook', body)));
      return { commit, deliveries };
    },
    async deliver({ url, token }, event, body) {
      const began = performance.now();
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'GitLab/18.5.0',
          'x-gitlab-event': event,
          'x-gitlab-instance': self.url,
          'x-gitlab-webhook-uuid': randomUUID(),
          'x-gitlab-event-uuid': randomUUID(),
          'idempotency-key': randomUUID(),
          ...(token === '' ? {} : { 'x-gitlab-token': token }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      await answer.body?.cancel();
      return { status: answer.status, ms: performance.now() - began };
    },
    close: () => server.close(),
  };
  return self;
}

/** The example of https://docs.gitlab.com/user/project/integrations/webhook_events/, shortened. */
export function pushEvent(of: {
  id: number;
  path?: string;
  branch?: string;
  defaultBranch?: string;
  before?: string;
  after?: string;
}) {
  const { id, path = `${GROUP}/item-${id}`, branch = 'main', defaultBranch = 'main' } = of;
  return {
    object_kind: 'push',
    event_name: 'push',
    before: of.before ?? '95790bf891e76fee5e1747ab589903a6a1f80f22',
    after: of.after ?? 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
    ref: `refs/heads/${branch}`,
    ref_protected: true,
    checkout_sha: of.after ?? 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
    user_id: 4,
    user_name: 'John Smith',
    project_id: id,
    project: { id, name: path.split('/').at(-1), path_with_namespace: path, default_branch: defaultBranch },
    commits: [
      {
        id: of.after ?? 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
        message: 'Saved',
        modified: ['item.json'],
      },
    ],
    total_commits_count: 1,
  };
}

function callOf(method: string, path: string, query: Record<string, string>): GitlabCall {
  const [, , , kind, id = '', ...rest] = path.split('/');
  if (kind === 'groups') return { method, what: 'projects', project: null, query };
  if (kind === 'version') return { method, what: 'version', project: null, query };
  const last = rest.at(-1) ?? 'project';
  return { method, what: /^\d+$/.test(last) ? 'hook' : last, project: Number(id), query };
}
