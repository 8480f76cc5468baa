/** `/sync_jobs`: records of sync programs. Runs from outside are only recorded; they lock no target. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  findSyncJobOwner,
  insertOutsideSyncJob,
  listSyncJobs,
  type SyncJobOwner,
  updateOutsideSyncJob,
} from '../../db/views/sync-jobs.ts';
import { denialReason } from '../../domain/permission.ts';
import { checkMay } from '../auth/access.ts';
import { principalAndOrigin } from '../auth/request-origin.ts';
import type { ApiEnv } from '../context.ts';
import { count, idParam, text, time, timeOrNull } from '../http/fields.ts';
import { masked } from '../http/mask.ts';
import { onePage, pageQuery, pageRange } from '../http/paging.ts';
import { forbidden, Problem } from '../http/problem.ts';
import { ReportRate } from '../live/report-rate.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { syncJobSchema, toSyncJob } from './sync-job-json.ts';

const facts = {
  end_time: timeOrNull.optional().describe('When the run ended.'),
  data_source: text(500).nullable().optional().describe('Where the program reads from.'),
  total_records: count.optional().describe('Records processed so far.'),
  completed: z.boolean().nullable().optional().describe('Whether the run succeeded.'),
  options: text(2000).nullable().optional().describe('Options of the program.'),
  version: text(100).nullable().optional().describe('Version of the program.'),
  target_datastore_url: text(1000).nullable().optional().describe('Where the program writes to.'),
};
const example = { total_records: 48211, completed: true, end_time: '2026-11-22T01:16:40Z' };

const listRoute = defineRoute({
  method: 'get',
  path: '/sync_jobs',
  tag: 'sync_jobs',
  summary: 'List runs of sync programs, newest first',
  access: 'read',
  query: pageQuery,
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(syncJobSchema) },
  },
});

const addRoute = defineRoute({
  method: 'post',
  path: '/sync_jobs',
  tag: 'sync_jobs',
  summary: 'Record a run started outside of Syncrator',
  access: 'operator',
  verb: 'add',
  json: z
    .strictObject({
      type: text(100, 1).describe('The action of the run.'),
      start_time: time.optional().describe('When the run started; now by default.'),
      ...facts,
    })
    .openapi({ example: { type: 'sync', data_source: 'cron', options: '-n 1000' } }),
  answers: { 201: { description: 'The record.', schema: syncJobSchema } },
  errors: [tooManyRecords(1)],
});

const changeRoute = defineRoute({
  method: 'put',
  path: '/sync_jobs/{id}',
  tag: 'sync_jobs',
  summary: 'Update the record of a run started outside of Syncrator',
  description: 'For its recorder and for admins without limits. The audit keeps the previous values.',
  access: 'operator',
  verb: 'change',
  params: idParam,
  json: z
    .strictObject(facts)
    .refine((body) => Object.keys(body).length > 0, 'must have at least one field')
    .openapi({ minProperties: 1, example }),
  answers: { 200: { description: 'The record.', schema: syncJobSchema } },
  errors: [noSyncJob(12), notYours(12, 'token:nightly'), ours(12), tooManyRecords(1)],
});

type Texts = { [K in 'data_source' | 'options' | 'target_datastore_url']?: string | null | undefined };

export function syncJobs() {
  const app = subApp();
  const rate = new ReportRate();
  const take = (c: Context<ApiEnv, string>) => {
    const wait = rate.take(c.var.user.id);
    if (wait > 0) throw tooManyRecords(wait);
  };
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(onePage(c, await listSyncJobs(c.var.db, pageRange(query)), query).map(toSyncJob));
  });
  app.openapi(addRoute, async (c) => {
    const body = c.req.valid('json');
    checkMayRecord(c, body.type);
    take(c);
    const by = { ...principalAndOrigin(c), recordedBy: c.var.user.id };
    const row = await insertOutsideSyncJob(c.var.db, withoutCredentials(body), by);
    return c.json(toSyncJob(row), 201);
  });
  app.openapi(changeRoute, async (c) => {
    const { id } = c.req.valid('param');
    const owner = await findSyncJobOwner(c.var.db, id);
    if (!owner) throw noSyncJob(id);
    if (owner.jobId !== null) throw ours(id);
    checkMayChange(c, id, owner);
    take(c);
    const body = withoutCredentials(c.req.valid('json'));
    const row = await updateOutsideSyncJob(c.var.db, id, body, principalAndOrigin(c));
    if (!row) throw noSyncJob(id);
    return c.json(toSyncJob(row));
  });
  return app;
}

/** Checks the type of a record, which is its action; a record has no environment. @throws Problem 403 */
function checkMayRecord(c: Context<ApiEnv, string>, type: string): void {
  const env = c.var.user.grant.envs?.[0] ?? '';
  checkMay(c, { role: 'operator', of: { env, action_name: type, action: type } });
}

/** @throws Problem 403 unless the caller recorded it or is an admin without limits */
function checkMayChange(c: Context<ApiEnv, string>, id: number, owner: SyncJobOwner): void {
  const { user } = c.var;
  const { type, recordedBy, shownAs } = owner;
  if (!denialReason(user.grant, { role: 'admin', of: 'everything' })) return;
  const isTheirs = recordedBy === null ? shownAs === user.shown : recordedBy === user.id;
  if (!isTheirs) throw notYours(id, shownAs ?? recordedBy);
  checkMayRecord(c, type);
}

function notYours(id: number, recordedBy: string | null): Problem {
  const whose = recordedBy === null ? 'by an unknown caller' : `by ${recordedBy}`;
  const words = `sync job ${id} was recorded ${whose}; only its recorder and admins without limits may change it`;
  return forbidden({ words, role: 'admin' });
}

function tooManyRecords(seconds: number): Problem {
  return new Problem(429, 'too_many_records', 'more than one record a second: wait, then try again', {
    headers: { 'retry-after': String(seconds) },
  });
}

function noSyncJob(id: number): Problem {
  return new Problem(404, 'unknown_sync_job', `there is no sync job ${id}`);
}

function ours(id: number): Problem {
  return new Problem(
    409,
    'ours',
    `sync job ${id} belongs to a job of Syncrator; only the program of that job may write it`,
  );
}

function withoutCredentials<T extends Texts>(body: T): T {
  return {
    ...body,
    data_source: masked(body.data_source),
    options: masked(body.options),
    target_datastore_url: masked(body.target_datastore_url),
  };
}
