/** `/maintenance-status`: the flag that keeps queued jobs from starting, and its history. */
import { z } from '@hono/zod-openapi';
import { countRunning, listMaintenance, type Maintenance, readMaintenance } from '../db/maintenance.ts';
import type { Db } from '../db/schema.ts';
import { setMaintenance } from '../engine/maintenance.ts';
import { principalAndOrigin } from './auth/request-origin.ts';
import type { ApiDeps } from './context.ts';
import { isoTime, text } from './http/fields.ts';
import { onePage, pageQuery, pageRange } from './http/paging.ts';
import { defineRoute, subApp } from './http/route.ts';
import { startDeps } from './jobs/submit-request.ts';

const entry = {
  msg: z.string().describe('Why; shown on the page.'),
  paused: z.boolean().describe('True: no job starts.'),
  timestamp: isoTime.describe('When the flag was set.'),
  set_by: z.string().describe('Who set the flag.'),
};
const ENTRY = {
  msg: 'Solr upgrade',
  paused: true,
  timestamp: '2026-11-22T01:00:00.000Z',
  set_by: 'admin',
};
const entrySchema = z.object(entry).openapi('MaintenanceEntry', { example: ENTRY });
const statusSchema = z
  .object({
    ...entry,
    engine: z.enum(['RUNNING', 'PAUSING', 'PAUSED']).describe('`PAUSING`: paused, and some jobs still run.'),
    running_jobs: z.int().describe('Jobs that still run.'),
  })
  .openapi('Maintenance', {
    example: {
      ...ENTRY,
      engine: 'PAUSING',
      running_jobs: 1,
    },
  });
export type MaintenanceJson = z.infer<typeof statusSchema>;
export type MaintenanceEntryJson = z.infer<typeof entrySchema>;
const answers = { 200: { description: 'The flag and the number of running jobs.', schema: statusSchema } };

const showRoute = defineRoute({
  method: 'get',
  path: '/maintenance-status',
  tag: 'maintenance',
  summary: 'Show the maintenance flag',
  access: 'read',
  answers,
});

const setRoute = defineRoute({
  method: 'post',
  path: '/maintenance-status',
  tag: 'maintenance',
  summary: 'Set the maintenance flag',
  description: 'While the flag is set no job starts; running jobs continue.',
  access: 'admin',
  verb: 'pause',
  touches: 'everything',
  json: z
    .strictObject({
      msg: text(1000).describe('Why; shown on the page.'),
      paused: z.boolean().optional().describe('True: start no job. Either this or `pause` is required.'),
      pause: z
        .union([z.literal(0), z.literal(1)], 'must be 0 or 1')
        .optional()
        .describe('The same as a number.'),
    })
    .refine((body) => (body.paused === undefined) !== (body.pause === undefined), {
      path: ['paused'],
      message: 'either paused (true, false) or pause (0, 1) is required',
    })
    .openapi({
      oneOf: [{ required: ['paused'] }, { required: ['pause'] }],
      example: { msg: 'Solr upgrade', paused: true },
    }),
  answers,
});

const historyRoute = defineRoute({
  method: 'get',
  path: '/maintenance-history',
  tag: 'maintenance',
  summary: 'List changes of the maintenance flag, newest first',
  access: 'read',
  query: pageQuery,
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(entrySchema) },
  },
});

export function maintenance(deps: ApiDeps) {
  const app = subApp();
  app.openapi(showRoute, async (c) => c.json(await maintenanceStatus(c.var.db)));
  app.openapi(setRoute, async (c) => {
    const { msg, paused, pause } = c.req.valid('json');
    const flag = { msg, paused: paused ?? pause === 1, ...principalAndOrigin(c, msg) };
    const set = await setMaintenance(startDeps(c, deps), flag);
    return c.json(await status(c.var.db, set));
  });
  app.openapi(historyRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(onePage(c, await listMaintenance(c.var.db, pageRange(query)), query).map(toEntry));
  });
  return app;
}

function toEntry({ msg, paused, at, set_by }: Maintenance): MaintenanceEntryJson {
  return { msg, paused, timestamp: at.toISOString(), set_by };
}

/** The flag as `/maintenance-status` shows it. */
export async function maintenanceStatus(db: Db): Promise<MaintenanceJson> {
  return await status(db, await readMaintenance(db));
}

async function status(db: Db, flag: Maintenance): Promise<MaintenanceJson> {
  const running = await countRunning(db);
  const engine = !flag.paused ? 'RUNNING' : running > 0 ? 'PAUSING' : 'PAUSED';
  return { ...toEntry(flag), engine, running_jobs: running };
}
