/** `/api/syncall`, `/api/syncast`, `/api/synlast`: synchronises an account, with the paths of its predecessor soukosync. */
import { z } from '@hono/zod-openapi';
import type { Config } from '../../../config/config.ts';
import { listAccountRuns, readMicroseconds } from '../../../db/views/account-runs.ts';
import { requestStart } from '../../../db/jobs/debounced-starts.ts';
import { ACCOUNT_ACTION } from '../declared-targets.ts';
import { DECLARED_ACTIONS } from '../../../domain/action.ts';
import { requirementOf } from '../../../domain/permission.ts';
import { isFinal } from '../../../domain/status.ts';
import type { JobParams, ParamsFile } from '../../../job-params/load.ts';
import { checkMay } from '../../auth/access.ts';
import { entrySchema, envelopeOf, errorSchema, OK, okSchema, pendingSchema, TIMED_OUT } from './envelope.ts';
import { isHeld, startAndWait } from './wait.ts';
import { requestOrigin } from '../../auth/request-origin.ts';
import type { ApiDeps } from '../../context.ts';
import { digits } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { defineRoute, subApp } from '../../http/route.ts';
import { planDeclaredJob } from '../../jobs/start-request.ts';
import { startDeps } from '../../jobs/submit-request.ts';

const WAIT_MS = 30_000;
const MOST_ENTRIES = 100;

const failed = (reason: string) => ({ ...TIMED_OUT, data: { ...TIMED_OUT.data, reason } });

const syncallRoute = defineRoute({
  method: 'patch',
  path: '/api/syncall',
  tag: 'account',
  summary: 'Sync the account and wait for the result',
  description:
    'Starts a job of the target that ACCOUNT names, after the active job of the target has ended. Waits at most 30 s, and ' +
    'not while maintenance holds the job. The header Location names the job.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  deadline: 'user',
  answers: {
    200: { description: 'The sync completed.', schema: okSchema },
    202: { description: 'The job has not ended yet and continues.', schema: pendingSchema },
    409: { description: 'The job was cancelled.', schema: errorSchema, example: failed('cancelled') },
    500: {
      description: 'The job failed for a reason on this side.',
      schema: errorSchema,
      example: failed('not_configured'),
    },
    502: { description: "The account's API failed.", schema: errorSchema, example: failed('nxdomain') },
    504: { description: "The account's API did not answer in time.", schema: errorSchema },
  },
  errors: [noAccount()],
});

const syncastRoute = defineRoute({
  method: 'patch',
  path: '/api/syncast',
  tag: 'account',
  summary: 'Request a sync of the account',
  description:
    'Answers at once. One job serves all calls within three seconds; it starts when the target has no active job. ' +
    'GET /api/synlast shows the result.',
  access: 'operator',
  verb: 'want',
  touches: 'jobs',
  answers: {
    200: {
      description: 'The sync was requested.',
      schema: okSchema,
      example: { ...OK, data: 'Soukosync.Caller.cast_sync casted' },
    },
  },
  errors: [noAccount()],
});

const synlastRoute = defineRoute({
  method: 'get',
  path: '/api/synlast',
  tag: 'account',
  summary: 'List the results of the last jobs of the account',
  description: 'Oldest first, including failures. Empty if ACCOUNT is not set.',
  access: 'read',
  query: z.strictObject({
    count: digits(1, MOST_ENTRIES)
      .optional()
      .openapi({ description: 'Number of results; 100 by default.', example: 1 }),
  }),
  answers: {
    200: {
      description: 'The last results.',
      schema: z
        .object({ data: z.array(entrySchema).describe('Results, oldest first.') })
        .openapi('AccountHistory'),
      example: { data: [OK, TIMED_OUT] },
    },
  },
});

export function account(deps: ApiDeps) {
  const app = subApp();
  app.openapi(syncallRoute, async (c) => {
    const file = accountFile(deps.config, deps.params);
    if (!file) throw noAccount();
    checkMay(c, requirementOf(file, 'params_file'));
    const { db } = c.var;
    const asked = await readMicroseconds(db);
    const requestedBy = c.var.user.shown;
    const until = AbortSignal.any([
      // A disconnected client needs no answer; the job continues.
      c.req.raw.signal,
      AbortSignal.timeout(deps.accountWaitMs ?? WAIT_MS),
      ...(deps.stopping ? [deps.stopping] : []),
    ]);
    const planned = planDeclaredJob(deps, file);
    const waitDeps = { ...startDeps(c, deps), changes: deps.changes };
    const { run, isOurs } = await startAndWait(waitDeps, planned, {
      requestedBy,
      origin: requestOrigin(c),
      until,
    });
    c.header('Location', `/jobs/${run.id}`);
    if (isOurs && isFinal(run.status)) {
      const ended = envelopeOf(run);
      return ended.status === 200 ? c.json(ended.envelope, 200) : c.json(ended.envelope, ended.status);
    }
    // No job of this call has started: one starts when the active job has ended.
    if (!isOurs)
      await requestStart(db, { ...file, action: ACCOUNT_ACTION, requestedBy }, [], requestOrigin(c));
    const state = isHeld(run) ? 'waits for the end of maintenance' : `is ${run.status}`;
    const data = isOurs ? `job ${run.id} ${state}` : `a sync will follow job ${run.id}, which ${state}`;
    return c.json({ data, date: asked, response: 'pending' as const }, 202);
  });

  app.openapi(syncastRoute, async (c) => {
    const file = accountFile(deps.config, deps.params);
    if (!file) throw noAccount();
    checkMay(c, requirementOf(file, 'params_file'));
    await requestStart(
      c.var.db,
      { ...file, action: ACCOUNT_ACTION, requestedBy: c.var.user.shown },
      [],
      requestOrigin(c),
    );
    return c.json({
      data: 'Soukosync.Caller.cast_sync casted',
      date: await readMicroseconds(c.var.db),
      response: 'ok' as const,
    });
  });

  app.openapi(synlastRoute, async (c) => {
    const file = accountFile(deps.config, deps.params);
    const most = c.req.valid('query').count ?? MOST_ENTRIES;
    const runs = file ? await listAccountRuns(c.var.db, file, { actions: DECLARED_ACTIONS, most }) : [];
    return c.json({ data: runs.map((run) => envelopeOf(run).envelope) });
  });
  return app;
}

function accountFile({ account: of }: Pick<Config, 'account'>, params: JobParams): ParamsFile | undefined {
  return of && params.find({ ...of, action: ACCOUNT_ACTION });
}

function noAccount(): Problem {
  return new Problem(
    503,
    'no_account',
    'ACCOUNT is not set on this server; set it to <target>/<env> to synchronise an account',
    {
      headers: { 'retry-after': '60' },
    },
  );
}
