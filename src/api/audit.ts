/** `GET /audit`: who did what, from where and why, and what was refused to them; for admins. */
import { z } from '@hono/zod-openapi';
import { type AuditEntry, listAudit } from '../db/audit-pages.ts';
import { isoTime, text, time, yesOrNo } from './fields.ts';
import { decodeCursor, onePage, pageFields, pageRange } from './paging.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const entrySchema = z
  .object({
    id: z.int(),
    at: isoTime,
    principal: z
      .string()
      .describe('Who: a user, `oidc:<sub> (<name>)`, `token:<name>`, or a command or part of ours.'),
    verb: z.string(),
    object: z.string(),
    refused: z.string().nullable().describe('The code it was refused with; null for what was done.'),
    reason: z.string().nullable().describe('Why, by whoever did it: X-Reason, or a message or note.'),
    address: z.string().nullable().describe('Of the client, or of the proxy before us.'),
    request_id: z.string().nullable().describe('The X-Request-Id of the call, as our log has it.'),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi('AuditEntry', {
    example: {
      id: 41,
      at: '2026-11-22T01:00:00.000Z',
      principal: 'ada',
      verb: 'cancel',
      object: 'job 7',
      refused: null,
      reason: 'the index was dropped by mistake',
      address: '10.0.0.7',
      request_id: '5f0c6c1e-9f8a-4c55-b1d0-5d1b6f0f9a51',
      detail: null,
    },
  });
export type AuditEntryJson = z.infer<typeof entrySchema>;

const query = z.strictObject({
  ...pageFields,
  cursor: text(200).optional().describe('As the Link header gave it; opaque.'),
  principal: text(400).optional().openapi({ example: 'ada' }),
  verb: text(40).optional().openapi({ example: 'cancel' }),
  object: text(300)
    .optional()
    .openapi({ description: '`job 7`, or `job` for all of them.', example: 'job 7' }),
  refused: yesOrNo.optional().describe('Only what was refused, or only what was done.'),
  since: time.optional().describe('At or after.'),
  until: time.optional().describe('Before.'),
});

const listRoute = defineRoute({
  method: 'get',
  path: '/audit',
  tag: 'audit',
  summary: 'Who did what, newest first',
  description:
    'Every accepted write, and what was refused to whoever is known: tokens that are good no longer (401), who may not ' +
    '(403), what stands against it (409); of each who asks 60 lines at once, then one a minute, and `left_out_before` ' +
    'counts what was more. Lines are never changed; they go by age alone, where KEEP_JOBS or a purge says so.',
  access: 'admin',
  verb: 'read',
  query,
  answers: { 200: { description: 'A page; its Link header leads on.', schema: z.array(entrySchema) } },
});

export function auditTrail() {
  const app = subApp();
  app.openapi(listRoute, async (c) => {
    const { page, limit, cursor, ...filter } = c.req.valid('query');
    if (cursor !== undefined && page !== undefined)
      throw new Problem(400, 'bad_query', 'query: page and cursor exclude each other');
    const before = cursor === undefined ? undefined : decodeCursor(cursor);
    const rows = await listAudit(c.var.db, { ...filter, before }, pageRange({ page, limit }));
    return c.json(onePage(c, rows, { page, limit, cursorOf: ({ id }) => id }).map(toEntry), 200);
  });
  return app;
}

function toEntry({ at, detail, ...entry }: AuditEntry): AuditEntryJson {
  return { ...entry, at: at.toISOString(), detail: detail as AuditEntryJson['detail'] };
}
