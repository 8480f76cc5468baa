/** Routes of the views. Addresses follow a `#`, so that none collides with a path of the API. */
import { createHashHistory, createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { readAuditSearch } from '../audit/audit-search.ts';
import { Overview } from '../overview/overview.tsx';
import { readFilter } from '../jobs/filter-search.ts';
import { readLossSearch } from '../losses/loss-search.ts';
import { lazyView } from './lazy-view.ts';
import { NotFound } from './not-found.tsx';
import { Shell } from './shell.tsx';
import { ViewFault } from './view-fault.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({ getParentRoute: () => root, path: '/', component: Overview });
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: readFilter,
  component: lazyView(() => import('../jobs/job-list.tsx'), 'JobList'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$id',
  component: lazyView(() => import('../job/job-page.tsx'), 'JobPage'),
});
const losses = createRoute({
  getParentRoute: () => root,
  path: '/losses',
  validateSearch: readLossSearch,
  component: lazyView(() => import('../losses/loss-list.tsx'), 'LossList'),
});
const loss = createRoute({
  getParentRoute: () => root,
  path: '/losses/$id',
  component: lazyView(() => import('../losses/loss-page.tsx'), 'LossPage'),
});
const start = createRoute({
  getParentRoute: () => root,
  path: '/start',
  validateSearch: (search: Record<string, unknown>) => {
    const text = (name: string) => (typeof search[name] === 'string' ? search[name] : undefined);
    return { target: text('target'), env: text('env'), action: text('action') };
  },
  component: lazyView(() => import('../start/start-page.tsx'), 'StartPage'),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  component: lazyView(() => import('../schedules/schedules.tsx'), 'Schedules'),
});
const maintenance = createRoute({
  getParentRoute: () => root,
  path: '/maintenance',
  component: lazyView(() => import('../maintenance/maintenance.tsx'), 'Maintenance'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: readAuditSearch,
  component: lazyView(() => import('../audit/audit.tsx'), 'Audit'),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, jobs, job, losses, loss, start, schedules, maintenance, audit]),
  history: createHashHistory(),
  defaultErrorComponent: ViewFault,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  // TanStack Router learns the application's routes from this interface.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface Register {
    router: typeof router;
  }
}
