/** `/sync_jobs`: every sync program's own record; those of outside are records only, never locks. */
import { z } from '@hono/zod-openapi';
import { insertOutsideSyncJob, listSyncJobs, updateOutsideSyncJob } from '../db/sync-jobs.ts';
import { callerOf } from './caller.ts';
import { count, idParam, text, time, timeOrNull } from './fields.ts';
import { masked } from './mask.ts';
import { onePage, pageQuery, pageRange } from './paging.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import { syncJobSchema, toSyncJob } from './sync-job-json.ts';

const facts = {
  end_time: timeOrNull.optional(),
  data_source: text(500).nullable().optional(),
  total_records: count.optional(),
  completed: z.boolean().nullable().optional(),
  options: text(2000).nullable().optional(),
  version: text(100).nullable().optional(),
  target_datastore_url: text(1000).nullable().optional(),
};
const example = { total_records: 48211, completed: true, end_time: '2026-11-22T01:16:40Z' };

const listRoute = defineRoute({
  method: 'get',
  path: '/sync_jobs',
  tag: 'sync_jobs',
  summary: 'All runs of sync programs, newest first',
  access: 'read',
  query: pageQuery,
  answers: { 200: { description: 'A page; its Link header leads on.', schema: z.array(syncJobSchema) } },
});

const addRoute = defineRoute({
  method: 'post',
  path: '/sync_jobs',
  tag: 'sync_jobs',
  summary: 'Record a run started outside of us',
  access: 'operator',
  verb: 'add',
  json: z
    .strictObject({ type: text(100, 1), start_time: time.optional(), ...facts })
    .openapi({ example: { type: 'sync', data_source: 'cron', options: '-n 1000' } }),
  answers: { 201: { description: 'The record.', schema: syncJobSchema } },
});

const changeRoute = defineRoute({
  method: 'put',
  path: '/sync_jobs/{id}',
  tag: 'sync_jobs',
  summary: 'Go on with the record of a run started outside of us',
  access: 'operator',
  verb: 'change',
  params: idParam,
  json: z
    .strictObject(facts)
    .refine((body) => Object.keys(body).length > 0, 'needs at least one field')
    .openapi({ minProperties: 1, example }),
  answers: { 200: { description: 'The record.', schema: syncJobSchema } },
  errors: [noSyncJob(12), ours(12)],
});

type Texts = { [K in 'data_source' | 'options' | 'target_datastore_url']?: string | null | undefined };

export function syncJobs() {
  const app = subApp();
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(onePage(c, await listSyncJobs(c.var.db, pageRange(query)), query).map(toSyncJob));
  });
  app.openapi(addRoute, async (c) => {
    const body = c.req.valid('json');
    const row = await insertOutsideSyncJob(c.var.db, withoutCredentials(body), callerOf(c));
    return c.json(toSyncJob(row), 201);
  });
  app.openapi(changeRoute, async (c) => {
    const { id } = c.req.valid('param');
    const body = withoutCredentials(c.req.valid('json'));
    const row = await updateOutsideSyncJob(c.var.db, id, body, callerOf(c));
    if (row === 'unknown') throw noSyncJob(id);
    if (row === 'ours') throw ours(id);
    return c.json(toSyncJob(row));
  });
  return app;
}

function noSyncJob(id: number): Problem {
  return new Problem(404, 'unknown_sync_job', `there is no sync job ${id}`);
}

function ours(id: number): Problem {
  return new Problem(409, 'ours', `sync job ${id} belongs to a job of ours, whose program alone writes it`);
}

function withoutCredentials<T extends Texts>(body: T): T {
  return {
    ...body,
    data_source: masked(body.data_source),
    options: masked(body.options),
    target_datastore_url: masked(body.target_datastore_url),
  };
}
