/** `/api/syncall`, `/api/syncast`, `/api/synlast`: an account kept in step, as soukosync's clients ask for it. */
import { z } from '@hono/zod-openapi';
import type { Config } from '../config.ts';
import { listAccountRuns, readMicroseconds } from '../db/account-runs.ts';
import { want } from '../db/wanted.ts';
import { touchedBy } from '../domain/grant.ts';
import { isFinal } from '../domain/status.ts';
import type { JobParams, ParamsFile } from '../job-params.ts';
import { checkMay } from './access.ts';
import {
  entrySchema,
  envelopeOf,
  errorSchema,
  OK,
  okSchema,
  pendingSchema,
  TIMED_OUT,
} from './account-envelope.ts';
import { isHeld, startAndWait } from './account-wait.ts';
import { originOf } from './caller.ts';
import type { ApiDeps } from './context.ts';
import { digits } from './fields.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import { requestOfFile } from './start-request.ts';

const WAIT_MS = 30_000;
const MOST_ENTRIES = 100;
const ACTION = 'sync';
/** What carries an account's records; the history is of these. */
const ACTIONS = ['sync', 'delta', 'delete', 'diff'];

const failed = (reason: string) => ({ ...TIMED_OUT, data: { ...TIMED_OUT.data, reason } });

const syncallRoute = defineRoute({
  method: 'patch',
  path: '/api/syncall',
  tag: 'account',
  summary: 'Sync the account now, and wait for the end',
  description:
    'A job of the target that ACCOUNT names. Calls are serialised: what has begun already is waited for, then a job ' +
    'of its own begins. Waits for 30 s at most, and not while maintenance holds the job back. Location names the job.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  deadline: 'user',
  answers: {
    200: { description: 'Done.', schema: okSchema },
    202: { description: 'Not yet over; the job goes on.', schema: pendingSchema },
    409: { description: 'Cancelled.', schema: errorSchema, example: failed('cancelled') },
    500: { description: 'It failed here.', schema: errorSchema, example: failed('not_configured') },
    502: { description: "The account's API failed.", schema: errorSchema, example: failed('nxdomain') },
    504: { description: "The account's API did not answer in time.", schema: errorSchema },
  },
  errors: [noAccount()],
});

const syncastRoute = defineRoute({
  method: 'patch',
  path: '/api/syncast',
  tag: 'account',
  summary: 'Sync the account soon',
  description:
    'Answers at once. One job begins for all calls of three seconds, when none is at work on the target any more; ' +
    'GET /api/synlast has how it ended.',
  access: 'operator',
  verb: 'want',
  touches: 'jobs',
  answers: {
    200: {
      description: 'Remembered.',
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
  summary: 'How the last jobs of the account ended',
  description: 'Oldest first, failures among them. None where ACCOUNT is not set.',
  access: 'read',
  query: z.strictObject({
    count: digits(1, MOST_ENTRIES)
      .optional()
      .openapi({ description: 'How many of the last ones; 100 by default.', example: 1 }),
  }),
  answers: {
    200: {
      description: 'The last ones.',
      schema: z.object({ data: z.array(entrySchema) }),
      example: { data: [OK, TIMED_OUT] },
    },
  },
});

export function account(deps: ApiDeps) {
  const app = subApp();
  const file = accountFile(deps.config, deps.params);

  app.openapi(syncallRoute, async (c) => {
    if (!file) throw noAccount();
    checkMay(c, 'operator', touchedBy(file));
    const { db } = c.var;
    const asked = await readMicroseconds(db);
    const requestedBy = c.var.user.shown;
    const until = AbortSignal.any([
      // Who does not listen any more needs no answer; the job goes on.
      c.req.raw.signal,
      AbortSignal.timeout(deps.accountWaitMs ?? WAIT_MS),
      ...(deps.stopping ? [deps.stopping] : []),
    ]);
    const request = requestOfFile(deps, file);
    const { run, isOurs } = await startAndWait({ ...deps, db, log: c.var.log }, request, {
      requestedBy,
      origin: originOf(c),
      until,
    });
    c.header('Location', `/jobs/${run.id}`);
    if (isOurs && isFinal(run.status)) {
      const { envelope, status } = envelopeOf(run);
      return c.json(envelope, status);
    }
    // Nothing of our own has begun: it will, when what is in its way has ended.
    if (!isOurs) await want(db, { ...file, action: ACTION, requestedBy }, [], originOf(c));
    const state = isHeld(run) ? 'waits for the end of maintenance' : `is ${run.status}`;
    const data = isOurs ? `job ${run.id} ${state}` : `a sync will follow job ${run.id}, which ${state}`;
    return c.json({ data, date: asked, response: 'pending' as const }, 202);
  });

  app.openapi(syncastRoute, async (c) => {
    if (!file) throw noAccount();
    checkMay(c, 'operator', touchedBy(file));
    await want(c.var.db, { ...file, action: ACTION, requestedBy: c.var.user.shown }, [], originOf(c));
    return c.json({
      data: 'Soukosync.Caller.cast_sync casted',
      date: await readMicroseconds(c.var.db),
      response: 'ok' as const,
    });
  });

  app.openapi(synlastRoute, async (c) => {
    const most = c.req.valid('query').count ?? MOST_ENTRIES;
    const runs = file ? await listAccountRuns(c.var.db, file, { actions: ACTIONS, most }) : [];
    return c.json({ data: runs.map((run) => envelopeOf(run).envelope) });
  });
  return app;
}

/** What ACCOUNT names and no params file declares, in words; such a start would end in refusals later. */
export function accountFault(config: Pick<Config, 'account'>, params: JobParams): string | undefined {
  if (!config.account || accountFile(config, params)) return undefined;
  const { name, env } = config.account;
  return `ACCOUNT=${name}/${env}: job_params declares no ${ACTION} of it (${env}/${name}-${ACTION}.public_params)`;
}

function accountFile({ account: of }: Pick<Config, 'account'>, params: JobParams): ParamsFile | undefined {
  return of && params.find({ ...of, action: ACTION });
}

function noAccount(): Problem {
  return new Problem(503, 'no_account', 'ACCOUNT is not set on this server: it keeps no account in step', {
    headers: { 'retry-after': '60' },
  });
}
