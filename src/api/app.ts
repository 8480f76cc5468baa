/** Builds the api: middleware for every request, then one sub-app per resource. */
import { randomBytes } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { makeTraceparent, traceFields } from '../domain/trace.ts';
import { account } from './compat/account/account.ts';
import { auditTrail } from './audit.ts';
import { batch } from './jobs/batch.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { docs } from './openapi/docs.ts';
import { EventStreams } from './live/event-streams.ts';
import { events } from './live/events.ts';
import { external } from './compat/microdata/external.ts';
import { forget } from './jobs/forget.ts';
import { gitlabHook } from './compat/item-bank/gitlab-hook.ts';
import { health } from './health.ts';
import { planUpload } from './live/plan-upload.ts';
import { plans } from './plans/plans.ts';
import { held } from './live/held.ts';
import { importableDatasets } from './compat/microdata/importable-datasets.ts';
import { itemBank } from './compat/item-bank/item-bank.ts';
import { jobs } from './jobs/jobs.ts';
import { answersTo, knownHosts } from './http/known-hosts.ts';
import { login } from './auth/login.ts';
import { losses } from './losses/losses.ts';
import { logs } from './live/logs.ts';
import { maintenance } from './maintenance.ts';
import { manifest } from './jobs/manifest.ts';
import { me } from './auth/me.ts';
import { createOidc } from './auth/oidc.ts';
import { nextStarts } from './jobs/next-start.ts';
import { page } from './page/page.ts';
import { paramsFiles } from './params-files.ts';
import { notAllowed, onError, Problem, problemResponse } from './http/problem.ts';
import { DenialAudit } from './auth/audit-denied.ts';
import { reportPoints } from './live/report-points.ts';
import { reports } from './live/reports.ts';
import { resume } from './jobs/resume.ts';
import { schedules } from './schedules/schedules.ts';
import { rollback } from './jobs/rollback.ts';
import { starts } from './jobs/start.ts';
import { stories } from './stories/stories.ts';
import { syncJobs } from './jobs/sync-jobs.ts';
import { targets } from './targets.ts';
import { isBrowser, toNoView, toPage } from './page/redirect-to-page.ts';
import { identify, requestFields } from './http/request-id.ts';
import { checkUrl } from './http/input-checks.ts';

/** Routes with long answers for people who wait; elsewhere compression costs more than it saves. */
const COMPRESSED = ['/', '/openapi.json', '/targets'];
const NOTHING_LOADS = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Builds the whole api. Reads no environment and opens nothing: everything it needs is in `deps`.
 */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  app.onError(onError);
  app.notFound((c) => (isBrowser(c) ? toNoView(c) : problemResponse(c, noRoute(c))));
  app.use(identify);
  app.use(provideContext(deps));
  app.use(measureAndLog(deps));
  // Outside of everything that may replace an answer: a header for a replaced body would be wrong.
  for (const route of COMPRESSED) app.use(route, compress({ encoding: 'gzip' }));
  app.use(secureHeaders());
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => problemResponse(c, notAllowed(c, methods)),
    }),
  );
  const isKnown = knownHosts(deps.config);
  if (isKnown) app.use(answersTo(isKnown));
  app.use(checkUrl);
  app.use(toPage);
  for (const part of [...productParts(deps), ...predecessorParts(deps)]) app.route('/', part);
  app.route('/', docs(app));
  return app;
}

/** The sub-apps of the product itself. */
function productParts(deps: ApiDeps): OpenAPIHono<ApiEnv>[] {
  const streams = new EventStreams({
    ...deps.streams,
    stopping: deps.stopping,
    onCount: deps.measures?.streams,
  });
  return [
    page(deps),
    health(deps),
    login(deps),
    me(),
    starts(deps),
    nextStarts(deps),
    rollback(deps),
    forget(deps),
    stories(deps),
    reports(deps),
    held(deps),
    planUpload(deps),
    reportPoints(),
    manifest(deps),
    logs(deps, streams),
    events(deps, streams),
    resume(deps), // before jobs, whose /jobs/{id} would match its paths
    jobs(deps),
    batch(deps),
    syncJobs(),
    losses(deps),
    plans(deps),
    targets(deps),
    maintenance(deps),
    paramsFiles(deps),
    schedules(deps),
    auditTrail(),
  ];
}

/** The sub-apps that keep the paths of the systems that Syncrator replaces. The product works without them. */
function predecessorParts(deps: ApiDeps): OpenAPIHono<ApiEnv>[] {
  return [external(deps), importableDatasets(deps), itemBank(deps), gitlabHook(deps), account(deps)];
}

function noRoute(c: Context): Problem {
  const detail = `there is no route ${c.req.path.slice(0, 200)}; GET /docs lists all routes`;
  return new Problem(404, 'no_route', detail);
}

/** Sets the variables of the request that its handlers and the other middleware read. */
function provideContext(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  const denials = new DenialAudit();
  const oidc = deps.config.oidc && createOidc(deps.config.oidc, { log: deps.log });
  return async (c, next) => {
    c.set('config', deps.config);
    c.set('db', deps.db);
    const traceparent = traceOf(c.req.header('traceparent'));
    c.set('traceparent', traceparent);
    c.set('log', deps.log.child({ ...requestFields(c), ...traceFields(traceparent) }));
    c.set('oidc', oidc);
    c.set('denials', denials);
    c.set('measures', deps.measures);
    await next();
    if (!c.res.headers.has('content-security-policy')) c.header('Content-Security-Policy', NOTHING_LOADS);
    if (!c.res.headers.has('cache-control')) c.header('Cache-Control', 'no-store');
  };
}

/** Counts and times each request by its route, and logs it at level debug. */
function measureAndLog(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const began = performance.now();
    await next();
    const elapsed = performance.now() - began;
    const { method } = c.req;
    const route = routePath(c, -1);
    deps.measures?.answered({
      method,
      // A path without a route may hold any text, which would be a metric of its own.
      route: route.endsWith('*') ? 'none' : route,
      status: c.res.status,
      seconds: elapsed / 1000,
    });
    // The path alone: callers put secrets into queries by mistake.
    const job = /^\/jobs\/(\d{1,9})(\/|$)/.exec(c.req.path)?.[1];
    const of = job === undefined ? {} : { job: Number(job) };
    const ms = Math.round(elapsed);
    // An id of a record may name a person.
    const path = c.req.path.replace(/^(\/targets\/[^/]*\/[^/]*\/records\/).*/s, '$1…');
    c.var.log.debug({ method, path, ...of, status: c.res.status, ms }, 'request');
  };
}

/** The traceparent of this request: a new span, in the trace of the caller if it sent one. */
function traceOf(header: string | undefined): string {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  return makeTraceparent({ continues: header, traceId: hex(16), spanId: hex(8) });
}
