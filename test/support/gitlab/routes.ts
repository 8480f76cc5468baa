/** The part of GitLab's REST API v4 that the item bank needs: https://docs.gitlab.com/api/rest/ */
import type { Context } from 'hono';
import { Hono } from 'hono';
import type { FakeBank, FakeHook, FakeProject } from './bank.ts';

/** @param of.countsTo GitLab counts no further than 10,000 */
export function routes(
  bank: FakeBank,
  of: {
    group: string;
    countsTo: () => number;
    base: () => string;
    /** The answer to the test delivery of a webhook. */
    deliver: (hook: FakeHook) => Promise<number>;
  },
) {
  const app = new Hono();
  app.get('/version', (c) => c.json({ version: '18.5.0' }));
  const missing = (c: Context, what: string) => c.json({ message: `404 ${what} Not Found` }, 404);
  const find = (c: Context): FakeProject | undefined => bank.projects.get(Number(c.req.param('id')));

  app.get('/groups/:group/projects', (c) => {
    if (c.req.param('group') !== of.group) return missing(c, 'Group');
    const query = c.req.query();
    const isIn = ({ path }: FakeProject) =>
      query['include_subgroups'] === 'true'
        ? path.startsWith(`${of.group}/`)
        : path.slice(0, path.lastIndexOf('/')) === of.group;
    const direction = query['sort'] === 'asc' ? 1 : -1;
    const keyOf = (project: FakeProject) =>
      query['order_by'] === 'id' ? project.id : project.lastActivityAt.getTime();
    const projects = [...bank.projects.values()]
      .filter(isIn)
      .toSorted((a, b) => direction * (keyOf(a) - keyOf(b)) || direction * (a.id - b.id));
    return paged(
      c,
      projects.map((project) => shown(project)),
    );
  });

  app.get('/projects/:id', (c) => {
    const project = find(c);
    return project ? c.json(shown(project)) : missing(c, 'Project');
  });

  app.get('/projects/:id/hooks', (c) => {
    const project = find(c);
    if (!project) return missing(c, 'Project');
    return paged(
      c,
      project.hooks.map((hook) => shownHook(project, hook)),
    );
  });

  app.post('/projects/:id/hooks', async (c) => {
    const project = find(c);
    if (!project) return missing(c, 'Project');
    const { url, token = '', ...more } = await c.req.json<Partial<FakeHook>>();
    if (url === undefined) return c.json({ error: 'url is missing' }, 400);
    return c.json(shownHook(project, Object.assign(bank.addHook(project.id, url, token), more)), 201);
  });

  const hookOf = (c: Context): FakeHook | undefined =>
    find(c)?.hooks.find(({ id }) => id === Number(c.req.param('hook')));

  app.get('/projects/:id/hooks/:hook', (c) => {
    const [project, hook] = [find(c), hookOf(c)];
    return project && hook ? c.json(shownHook(project, hook)) : missing(c, 'Hook');
  });

  // A disabled webhook stays disabled when it is edited.
  app.put('/projects/:id/hooks/:hook', async (c) => {
    const [project, hook] = [find(c), hookOf(c)];
    if (!project || !hook) return missing(c, 'Hook');
    const { url, token, push_events, enable_ssl_verification } = await c.req.json<Partial<FakeHook>>();
    if (url === undefined) return c.json({ error: 'url is missing' }, 400);
    Object.assign(hook, JSON.parse(JSON.stringify({ url, token, push_events, enable_ssl_verification })));
    return c.json(shownHook(project, hook));
  });

  // GitLab delivers at once, and enables the webhook if the answer is 2xx.
  app.post('/projects/:id/hooks/:hook/test/push_events', async (c) => {
    const hook = hookOf(c);
    if (!hook) return missing(c, 'Hook');
    const status = await of.deliver(hook);
    if (status < 200 || status > 299) return c.json({ message: 'the receiver refused it' }, 422);
    Object.assign(hook, { alert_status: 'executable', disabled_until: null });
    return c.json({ message: '201 Created' }, 201);
  });

  app.get('/projects/:id/repository/commits', (c) => {
    const project = find(c);
    if (!project) return missing(c, 'Project');
    const commits = project.branches.get(c.req.query('ref_name') ?? '');
    if (!commits) return missing(c, project.branches.size === 0 ? 'Repository' : 'Tree');
    const touching = c.req.query('path') === 'item.json' ? commits.filter(({ touches }) => touches) : [];
    return paged(
      c,
      touching.toReversed().map(({ sha, date }) => ({
        id: sha,
        short_id: sha.slice(0, 8),
        title: 'Saved',
        committed_date: date.toISOString().replace('Z', '+00:00'),
      })),
    );
  });

  app.get('/projects/:id/repository/files/:file/raw', (c) => {
    const ref = c.req.query('ref');
    const commits = [...(find(c)?.branches.values() ?? [])].flat();
    const at = commits.findIndex(({ sha }) => sha === ref);
    const content = commits[at]?.content ?? null;
    if (content === null || c.req.param('file') !== 'item.json') return missing(c, 'File');
    return c.body(content, 200, { 'content-type': 'text/plain; charset=utf-8' });
  });

  app.all('*', (c) => c.json({ error: '404 Not Found' }, 404));
  return app;

  /** GitLab never shows the token. */
  function shownHook(project: FakeProject, hook: FakeHook) {
    const { token: _token, ...shown } = hook;
    return { ...shown, project_id: project.id };
  }

  function shown(project: FakeProject) {
    const isEmpty = project.branches.size === 0;
    return {
      id: project.id,
      name: project.path.split('/').at(-1),
      path_with_namespace: project.path,
      default_branch: isEmpty ? null : project.defaultBranch,
      empty_repo: isEmpty,
      archived: project.archived,
      marked_for_deletion_on: project.markedForDeletionOn,
      last_activity_at: project.lastActivityAt.toISOString(),
      web_url: `${of.base()}/${project.path}`,
    };
  }

  /** Pages by offset, with the documented headers. */
  function paged(c: Context, all: readonly object[]): Response {
    const perPage = Math.min(100, Number(c.req.query('per_page') ?? 20));
    const page = Number(c.req.query('page') ?? 1);
    const last = Math.max(1, Math.ceil(all.length / perPage));
    const url = new URL(c.req.url);
    const link = (to: number, rel: string) => {
      url.searchParams.set('page', String(to));
      return `<${of.base()}${url.pathname}${url.search}>; rel="${rel}"`;
    };
    const links = [
      ...(page > 1 ? [link(page - 1, 'prev')] : []),
      ...(page < last ? [link(page + 1, 'next')] : []),
      link(1, 'first'),
    ];
    return c.json(all.slice((page - 1) * perPage, page * perPage), 200, {
      link: links.join(', '),
      'x-page': String(page),
      'x-per-page': String(perPage),
      'x-next-page': page < last ? String(page + 1) : '',
      ...(all.length <= of.countsTo()
        ? { 'x-total': String(all.length), 'x-total-pages': String(last) }
        : {}),
    });
  }
}
