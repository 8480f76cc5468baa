/** `/plans`: lists and shows plans, and pages of their records. */
import { z } from '@hono/zod-openapi';
import { listPlans } from '../../db/plans/plans.ts';
import { listPlanRecords } from '../../db/plans/records.ts';
import { PLAN_KINDS, PLAN_STATES, type PlanKind } from '../../domain/change-plan.ts';
import type { ApiDeps } from '../context.ts';
import { idParam, text } from '../http/fields.ts';
import { onePage, pageBehind, pageFields, pageRange } from '../http/paging.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { planRecordSchema, planSchema, toPlan, toPlanRecord } from './plan-schema.ts';
import { noPlan } from './refusals.ts';
import { readPlanOf } from './shown-plan.ts';
import { planStarts } from './start-plan.ts';

const kindField = z.enum(PLAN_KINDS);

/** `updated:k00042`: of which kind a record is, and its id. */
const place = text(1010)
  .refine((value) => kindField.safeParse(placeOf(value).kind).success, {
    error: 'must be a kind, a colon and an id, such as updated:k00042; the Link header has it',
  })
  .transform((value) => {
    const { kind, id } = placeOf(value);
    return { kind: kindField.parse(kind), id };
  })
  .openapi({ type: 'string', maxLength: 1010 });

function placeOf(value: string): { kind: string; id: string } {
  const colon = value.indexOf(':');
  return { kind: value.slice(0, Math.max(0, colon)), id: value.slice(colon + 1) };
}

const listRoute = defineRoute({
  method: 'get',
  path: '/plans',
  tag: 'plans',
  summary: 'List plans, the newest first',
  access: 'read',
  query: z.strictObject({
    ...pageFields,
    env: text(40).optional().openapi({ description: 'Only plans of this environment.', example: 'qas' }),
    target: text(100).optional().openapi({ description: 'Only plans of this target.', example: 'avo' }),
    state: z.enum(PLAN_STATES).optional().describe('Only plans in this state.'),
  }),
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(planSchema) },
  },
});

const showRoute = defineRoute({
  method: 'get',
  path: '/plans/{id}',
  tag: 'plans',
  summary: 'Show a plan',
  description: 'Its id is that of the job that made it.',
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'The plan.', schema: planSchema } },
  errors: [noPlan(7)],
});

const recordsRoute = defineRoute({
  method: 'get',
  path: '/plans/{id}/records',
  tag: 'plans',
  summary: 'List the records of a plan',
  description:
    'With their contents, so it always needs a token, also with PUBLIC_READS=true. An expired plan has none, and of each ' +
    'target only the newest plans have some.',
  access: 'viewer',
  params: idParam,
  query: z.strictObject({
    limit: pageFields.limit,
    kind: kindField.optional().describe('Only records of this kind.'),
    id: text(200).optional().openapi({ description: 'Only ids that contain this text.', example: 'k000' }),
    after: place
      .optional()
      .openapi({ description: 'Only records behind this one.', example: 'updated:k00042' }),
  }),
  answers: {
    200: {
      description:
        'One page, in the order of kinds (added, updated, removed, held) and the byte order of ids; the Link header names ' +
        'the next page.',
      schema: z.array(planRecordSchema),
    },
  },
  errors: [noPlan(7)],
});

export function plans(deps: ApiDeps) {
  const app = subApp();
  app.openapi(listRoute, async (c) => {
    const { page, limit, ...filter } = c.req.valid('query');
    const rows = await listPlans(c.var.db, filter, pageRange({ page, limit }));
    return c.json(onePage(c, rows, { page, limit }).map(toPlan));
  });
  app.openapi(showRoute, async (c) => c.json(toPlan(await readPlanOf(c, c.req.valid('param').id))));
  app.openapi(recordsRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { limit, kind, id: part, after } = c.req.valid('query');
    const of = { jobId: id, kind, part, after, limit: pageRange({ limit }).limit };
    const rows = await listPlanRecords(c.var.db, of);
    if (rows.length === 0) await readPlanOf(c, id);
    const shown = pageBehind(c, rows, { limit, keyOf: nameOfPlace });
    return c.json(shown.map(toPlanRecord));
  });
  app.route('/', planStarts(deps));
  return app;
}

function nameOfPlace({ kind, id }: { kind: PlanKind; id: string }): string {
  return `${kind}:${id}`;
}
