/** The views and their addresses, after a `#` so that none of them is an address of the API. */
import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from '@tanstack/react-router';
import { readAuditSearch } from '../audit/audit-search.ts';
import { Overview } from '../overview/overview.tsx';
import { readFilter } from '../jobs/filter-search.ts';
import { NotFound } from './not-found.tsx';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({ getParentRoute: () => root, path: '/', component: Overview });
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import('../jobs/job-list.tsx'), 'JobList'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$id',
  component: lazyRouteComponent(() => import('../job/job-page.tsx'), 'JobPage'),
});
const start = createRoute({
  getParentRoute: () => root,
  path: '/start',
  validateSearch: (search: Record<string, unknown>) => {
    const text = (name: string) => (typeof search[name] === 'string' ? search[name] : undefined);
    return { target: text('target'), env: text('env'), action: text('action') };
  },
  component: lazyRouteComponent(() => import('../start/start-page.tsx'), 'StartPage'),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  component: lazyRouteComponent(() => import('../schedules/schedules.tsx'), 'Schedules'),
});
const maintenance = createRoute({
  getParentRoute: () => root,
  path: '/maintenance',
  component: lazyRouteComponent(() => import('../maintenance/maintenance.tsx'), 'Maintenance'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import('../audit/audit.tsx'), 'Audit'),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, jobs, job, start, schedules, maintenance, audit]),
  history: createHashHistory(),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  // The library's own way to know an application's addresses.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface Register {
    router: typeof router;
  }
}
