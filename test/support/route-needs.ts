/** The requirement of each route, written by hand; a test compares it with the routes' own declarations. */
import type { Role } from '../../src/domain/permission.ts';

/** `jobs`: within the limits of env and action; `everything`: no limits at all. */
export type RouteNeed = { readonly role: Role; readonly touches?: 'jobs' | 'everything' };

const looks: RouteNeed = { role: 'viewer' };
const acts: RouteNeed = { role: 'operator', touches: 'jobs' };

/** All routes but the public ones and the report, which has its own token. */
const ROUTE_NEEDS: Readonly<Record<string, RouteNeed>> = {
  'POST /login/renew': looks,
  'GET /me': looks,
  'GET /audit': { role: 'admin' },
  'GET /{action}/{target}/{env}': looks,
  'POST /{action}/{target}/{env}': acts,
  'GET /next/{target}/{env}': looks,
  'DELETE /next/{target}/{env}': acts,
  'POST /run': acts,
  'POST /dryrun': acts,
  'POST /rollback/{target}/{env}': acts,
  'POST /take-over/{target}/{env}': { role: 'admin', touches: 'jobs' },
  'POST /forget/{target}/{env}': { role: 'admin', touches: 'jobs' },
  'POST /story/{target}/{env}': acts,
  'GET /jobs/{id}/story': looks,
  'GET /targets/{name}/{env}/records/{id}': looks,
  'POST /sync': acts,
  'POST /sync/{item}': acts,
  'GET /jobs': looks,
  'POST /jobs': acts,
  'GET /jobs/{id}': looks,
  'PUT /jobs/{id}': acts,
  'DELETE /jobs/{id}': acts,
  'POST /jobs/{id}/force-delete': { role: 'admin', touches: 'jobs' },
  'POST /jobs/{id}/resume': acts,
  'POST /jobs/resume-all': acts,
  'GET /jobs/{id}/logs': looks,
  'GET /jobs/{id}/reports': looks,
  'GET /jobs/{id}/manifest': looks,
  'GET /jobs/{id}/events': looks,
  'GET /events': looks,
  'GET /sync_jobs': looks,
  // Records, which change no job or target.
  'POST /sync_jobs': { role: 'operator' },
  'PUT /sync_jobs/{id}': { role: 'operator' },
  'POST /plan/{action}/{target}/{env}': acts,
  'GET /plans': looks,
  'GET /plans/{id}': looks,
  'GET /plans/{id}/records': looks,
  'POST /plans/{id}/apply': acts,
  'GET /losses': looks,
  'GET /losses/{id}': looks,
  'GET /losses/{id}/records': looks,
  'POST /losses/{id}/approve': acts,
  'POST /losses/{id}/keep': acts,
  'GET /targets': looks,
  'GET /targets/{name}': looks,
  'GET /targets/{name}/jobs': looks,
  'GET /api/products': looks,
  'GET /api/products/{name}': looks,
  'GET /api/products/{name}/jobs': looks,
  'GET /maintenance-status': looks,
  'POST /maintenance-status': { role: 'admin', touches: 'everything' },
  'GET /maintenance-history': looks,
  'GET /params': { role: 'operator' },
  'POST /reload': { role: 'admin', touches: 'everything' },
  'GET /schedules': looks,
  'POST /schedules/{id}/run': acts,
  'POST /schedules/{id}/pause': acts,
  'POST /schedules/{id}/resume': acts,
  'GET /importable-datasets': looks,
  'DELETE /importable-datasets/{name}': { role: 'admin', touches: 'everything' },
  'PATCH /api/syncall': acts,
  'PATCH /api/syncast': acts,
  'GET /api/synlast': looks,
};

/** @throws Error for a route that is missing here */
export function needOf(method: string, path: string): RouteNeed {
  const known = path.replace(/^\/(sync|delta|delete|diff)\/(?=\{target\})/, '/{action}/');
  const need = ROUTE_NEEDS[`${method} ${known}`];
  if (!need) throw new Error(`test/support/route-needs.ts has no requirement for ${method} ${path}`);
  return need;
}
