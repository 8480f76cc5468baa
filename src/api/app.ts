/** The api as one app: what every request passes, then one sub-app per resource. */
import { randomBytes } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { compress } from 'hono/compress';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { makeTraceparent, traceFields } from '../domain/trace.ts';
import { account } from './account.ts';
import { auditTrail } from './audit.ts';
import { batch } from './batch.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { docs } from './docs.ts';
import { EventStreams } from './event-streams.ts';
import { events } from './events.ts';
import { external } from './external.ts';
import { gitlabHook } from './gitlab-hook.ts';
import { health } from './health.ts';
import { importableDatasets } from './importable-datasets.ts';
import { itemBank } from './item-bank.ts';
import { jobs } from './jobs.ts';
import { login } from './login.ts';
import { logs } from './logs.ts';
import { maintenance } from './maintenance.ts';
import { manifest } from './manifest.ts';
import { me } from './me.ts';
import { createOidc } from './oidc.ts';
import { page } from './page.ts';
import { notAllowed, onError, Problem, problemResponse } from './problem.ts';
import { Refusals } from './refusals.ts';
import { reportPoints } from './report-points.ts';
import { reports } from './reports.ts';
import { resume } from './resume.ts';
import { schedules } from './schedules.ts';
import { starts } from './starts.ts';
import { syncJobs } from './sync-jobs.ts';
import { targets } from './targets.ts';
import { checkUrl } from './well-formed.ts';

const OPEN_STREAMS = 200;
/** Long, and on the way to what somebody waits to see; elsewhere compressing costs more than it spares. */
const COMPRESSED = ['/', '/openapi.json', '/targets'];
const NOTHING_LOADS = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Of this request: its own span, in the trace of whoever sent one. */
function traceOf(header: string | undefined): string {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  return makeTraceparent({ continues: header, traceId: hex(16), spanId: hex(8) });
}

/** @param deps all that it needs; it reads no environment and opens nothing itself */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const refusals = new Refusals();
  const oidc = deps.config.oidc && createOidc(deps.config.oidc, { log: deps.log });
  app.onError(onError);
  app.notFound((c) =>
    problemResponse(
      c,
      new Problem(404, 'no_route', `there is no route ${c.req.path.slice(0, 200)}; GET / lists them`),
    ),
  );
  app.use(requestId({ limitLength: 128 }));
  app.use(async (c, next) => {
    c.set('config', deps.config);
    c.set('db', deps.db);
    const traceparent = traceOf(c.req.header('traceparent'));
    c.set('traceparent', traceparent);
    c.set('log', deps.log.child({ request: c.var.requestId, ...traceFields(traceparent) }));
    c.set('oidc', oidc);
    c.set('refusals', refusals);
    const began = performance.now();
    await next();
    if (!c.res.headers.has('content-security-policy')) c.header('Content-Security-Policy', NOTHING_LOADS);
    if (!c.res.headers.has('cache-control')) c.header('Cache-Control', 'no-store');
    const elapsed = performance.now() - began;
    const { method } = c.req;
    const route = routePath(c, -1);
    deps.measures?.answered({
      method,
      // What no route takes may be anything.
      route: route.endsWith('*') ? 'none' : route,
      status: c.res.status,
      seconds: elapsed / 1000,
    });
    const ms = Math.round(elapsed);
    // The path alone: a query may hold what somebody put there by mistake.
    const job = /^\/jobs\/(\d{1,9})(\/|$)/.exec(c.req.path)?.[1];
    const of = job === undefined ? {} : { job: Number(job) };
    c.var.log.debug({ method, path: c.req.path, ...of, status: c.res.status, ms }, 'request');
  });
  // Outside of all that may still replace an answer: the header would outlive what it tells of.
  for (const route of COMPRESSED) app.use(route, compress({ encoding: 'gzip' }));
  app.use(secureHeaders());
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => problemResponse(c, notAllowed(c, methods)),
    }),
  );
  app.use(checkUrl);
  const streams = new EventStreams({
    most: OPEN_STREAMS,
    stopping: deps.stopping,
    onCount: deps.measures?.streams,
  });
  for (const part of [
    page(deps),
    health(deps),
    login(deps),
    me(),
    starts(deps),
    reports(deps),
    reportPoints(),
    manifest(deps),
    logs(deps, streams),
    events(deps, streams),
    resume(deps), // before jobs, whose /jobs/{id} would have its words
    jobs(deps),
    batch(deps),
    external(deps),
    syncJobs(),
    targets(deps),
    maintenance(deps),
    schedules(deps),
    importableDatasets(deps),
    auditTrail(),
    itemBank(deps),
    gitlabHook(deps),
    account(deps),
  ])
    app.route('/', part);
  app.route('/', docs(app));
  return app;
}
