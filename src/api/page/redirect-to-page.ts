/** Redirects browsers that open an address of the api to the view of the page that shows the same. */
import type { Context, MiddlewareHandler } from 'hono';

/** The view of each path; the query is kept where both have the same fields. */
const VIEWS: readonly (readonly [path: RegExp, view: (match: RegExpExecArray, query: string) => string])[] = [
  [/^\/jobs\/(\d{1,10})\/?$/, ([, id = '']) => `/jobs/${id}`],
  [/^\/(jobs|audit)\/?$/, ([, name = ''], query) => `/${name}${query}`],
  [/^\/(schedules|maintenance|start)\/?$/, ([, name = '']) => `/${name}`],
  [/^\/maintenance-(?:status|history)\/?$/, () => '/maintenance'],
  [/^\/targets\/?$/, () => '/'],
  [/^\/targets\/([^/]{1,200})\/?$/, ([, name = '']) => `/jobs?target=${name}`],
];

/** A browser asks for HTML first and sends no token; clients of the api do otherwise. */
export function isBrowser(c: Context): boolean {
  const accept = c.req.header('accept') ?? '';
  return (
    c.req.method === 'GET' && accept.startsWith('text/html') && c.req.header('authorization') === undefined
  );
}

export const toPage: MiddlewareHandler = async (c, next) => {
  if (isBrowser(c)) {
    const { pathname, search } = new URL(c.req.url);
    for (const [path, view] of VIEWS) {
      const match = path.exec(pathname);
      if (match) return c.redirect(`/#${view(match, search)}`, 302);
    }
  }
  return await next();
};

/** Redirects to the page, which shows its own message for an unknown path. */
export function toNoView(c: Context): Response {
  return c.redirect(`/#${new URL(c.req.url).pathname}`, 302);
}
