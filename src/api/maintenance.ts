/** `/maintenance-status`: the one flag that holds back what has not begun, and its history. */
import { z } from '@hono/zod-openapi';
import { countRunning, listMaintenance, type Maintenance, readMaintenance } from '../db/maintenance.ts';
import type { Db } from '../db/schema.ts';
import { setMaintenance } from '../temporal/maintenance.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps } from './context.ts';
import { isoTime, text } from './fields.ts';
import { onePage, pageQuery, pageRange } from './paging.ts';
import { defineRoute, subApp } from './route.ts';

const entrySchema = z.object({
  msg: z.string(),
  paused: z.boolean(),
  timestamp: isoTime,
  set_by: z.string(),
});
const ENTRY = {
  msg: 'Solr upgrade',
  paused: true,
  timestamp: '2026-11-22T01:00:00.000Z',
  set_by: 'admin',
};
const statusSchema = entrySchema
  .extend({ engine: z.enum(['RUNNING', 'PAUSING', 'PAUSED']), running_jobs: z.int() })
  .openapi('Maintenance', {
    example: {
      ...ENTRY,
      engine: 'PAUSING',
      running_jobs: 1,
    },
  });
export type MaintenanceJson = z.infer<typeof statusSchema>;
export type MaintenanceEntryJson = z.infer<typeof entrySchema>;
const answers = { 200: { description: 'The flag, and what still runs.', schema: statusSchema } };

const showRoute = defineRoute({
  method: 'get',
  path: '/maintenance-status',
  tag: 'maintenance',
  summary: 'Is the engine paused?',
  access: 'read',
  answers,
});

const setRoute = defineRoute({
  method: 'post',
  path: '/maintenance-status',
  tag: 'maintenance',
  summary: 'Pause or go on',
  access: 'admin',
  verb: 'pause',
  touches: 'everything',
  json: z
    .strictObject({
      msg: text(1000),
      paused: z.boolean().optional(),
      pause: z.union([z.literal(0), z.literal(1)], 'must be 0 or 1').optional(),
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
  summary: 'Every change of the flag, newest first',
  access: 'read',
  query: pageQuery,
  answers: {
    200: { description: 'A page; its Link header leads on.', schema: z.array(entrySchema), example: [ENTRY] },
  },
});

export function maintenance(deps: ApiDeps) {
  const app = subApp();
  app.openapi(showRoute, async (c) => c.json(await maintenanceStatus(c.var.db)));
  app.openapi(setRoute, async (c) => {
    const { msg, paused, pause } = c.req.valid('json');
    const set = await setMaintenance(
      { ...deps, db: c.var.db, log: c.var.log },
      { msg, paused: paused ?? pause === 1, ...callerOf(c, msg) },
    );
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

/** The flag as `/maintenance-status` tells it. */
export async function maintenanceStatus(db: Db): Promise<MaintenanceJson> {
  return await status(db, await readMaintenance(db));
}

async function status(db: Db, flag: Maintenance): Promise<MaintenanceJson> {
  const running = await countRunning(db);
  const engine = !flag.paused ? 'RUNNING' : running > 0 ? 'PAUSING' : 'PAUSED';
  return { ...toEntry(flag), engine, running_jobs: running };
}
