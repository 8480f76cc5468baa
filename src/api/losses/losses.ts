/** `/losses`: lists and shows losses, and pages of their records. */
import { z } from '@hono/zod-openapi';
import { listLosses } from '../../db/losses/losses.ts';
import { listRecords } from '../../db/losses/records.ts';
import { LOSS_STATUSES } from '../../domain/loss.ts';
import type { ApiDeps } from '../context.ts';
import { idParam, text } from '../http/fields.ts';
import { onePage, pageBehind, pageFields, pageRange } from '../http/paging.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { answerRoutes } from './answers.ts';
import { lossRecordSchema, lossSchema, toLossRecord } from './loss-schema.ts';
import { noLoss } from './refusals.ts';
import { readView, shownLoss } from './shown-loss.ts';

const listQuery = z.strictObject({
  ...pageFields,
  env: text(40).optional().openapi({ description: 'Only losses of this environment.', example: 'qas' }),
  target: text(100).optional().openapi({ description: 'Only losses of this target.', example: 'avo' }),
  status: z
    .enum([...LOSS_STATUSES, 'all'])
    .optional()
    .describe('Only losses with this status; `waiting` by default.'),
});

const listRoute = defineRoute({
  method: 'get',
  path: '/losses',
  tag: 'losses',
  summary: 'List losses, the oldest waiting one first',
  description: 'Resolved ones follow, the newest first.',
  access: 'read',
  query: listQuery,
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(lossSchema) },
  },
});

const showRoute = defineRoute({
  method: 'get',
  path: '/losses/{id}',
  tag: 'losses',
  summary: 'Show a loss',
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'The loss.', schema: lossSchema } },
  errors: [noLoss(7)],
});

const recordsRoute = defineRoute({
  method: 'get',
  path: '/losses/{id}/records',
  tag: 'losses',
  summary: 'List the held records of a loss',
  description:
    'With their contents, so it always needs a token, also with PUBLIC_READS=true. A resolved loss has none.',
  access: 'viewer',
  params: idParam,
  query: z.strictObject({
    limit: pageFields.limit,
    id: text(200).optional().openapi({ description: 'Only ids that contain this text.', example: 'k000' }),
    after: text(1000).optional().openapi({ description: 'Only ids behind this one.', example: 'k00042' }),
  }),
  answers: {
    200: {
      description: 'One page, in the byte order of the ids; the Link header names the next page.',
      schema: z.array(lossRecordSchema),
    },
  },
  errors: [noLoss(7)],
});

export function losses(deps: ApiDeps) {
  const app = subApp();
  app.openapi(listRoute, async (c) => {
    const { page, limit, status = 'waiting', ...filter } = c.req.valid('query');
    const of = { ...filter, status: status === 'all' ? undefined : status };
    const rows = await listLosses(c.var.db, of, pageRange({ page, limit }));
    return c.json(onePage(c, rows, { page, limit }).map((view) => shownLoss(deps, view)));
  });
  app.openapi(showRoute, async (c) => c.json(shownLoss(deps, await readView(c, c.req.valid('param').id))));
  app.openapi(recordsRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { limit, id: part, after } = c.req.valid('query');
    const rows = await listRecords(c.var.db, { lossId: id, part, after, limit: pageRange({ limit }).limit });
    if (rows.length === 0) await readView(c, id);
    const shown = pageBehind(c, rows, { limit, keyOf: (last) => last.id });
    return c.json(shown.map(toLossRecord));
  });
  app.route('/', answerRoutes(deps));
  return app;
}
