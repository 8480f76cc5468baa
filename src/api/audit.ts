/** `GET /audit`: lists audit entries, for admins. */
import { z } from '@hono/zod-openapi';
import { type AuditEntry, listAudit } from '../db/access/audit-pages.ts';
import { isoTime, text, time, yesOrNo } from './http/fields.ts';
import { decodeCursor, onePage, pageFields, pageRange } from './http/paging.ts';
import { Problem } from './http/problem.ts';
import { defineRoute, subApp } from './http/route.ts';

const entrySchema = z
  .object({
    id: z.int().describe('The id of the entry.'),
    at: isoTime.describe('When it happened.'),
    principal: z
      .string()
      .describe(
        'Who called: a user, `oidc:<sub> (<name>)`, `token:<name> (<id>)`, a command or component of Syncrator, or `nobody known`.',
      ),
    verb: z.string().describe('The operation, such as `start` or `cancel`.'),
    object: z.string().describe('The object of the operation, such as `job 7`.'),
    refused: z
      .string()
      .nullable()
      .describe('The error code of a denied request; null if it was carried out.'),
    reason: z
      .string()
      .nullable()
      .describe('The reason that the caller gave: X-Reason, or a message or note of the body.'),
    address: z
      .string()
      .nullable()
      .describe('The address of the client as TRUSTED_PROXIES report it, else of the peer.'),
    request_id: z.string().nullable().describe('The X-Request-Id of the answer; the log has the same.'),
    client_request_id: z.string().nullable().describe('The X-Request-Id of the request; not verified.'),
    detail: z.record(z.string(), z.unknown()).nullable().describe('More facts, depending on `verb`.'),
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
      client_request_id: null,
      detail: null,
    },
  });
export type AuditEntryJson = z.infer<typeof entrySchema>;

const query = z.strictObject({
  ...pageFields,
  cursor: text(200).optional().describe('Opaque cursor from a Link header.'),
  principal: text(400).optional().openapi({ description: 'Only entries of this principal.', example: 'ada' }),
  verb: text(40).optional().openapi({ description: 'Only entries with this verb.', example: 'cancel' }),
  object: text(300).optional().openapi({
    description: 'Only entries about this object: `job 7`, or `job` for all jobs.',
    example: 'job 7',
  }),
  refused: yesOrNo.optional().describe('True: only denied requests. False: only those carried out.'),
  since: time.optional().describe('Only entries at or after this time.'),
  until: time.optional().describe('Only entries before this time.'),
});

const listRoute = defineRoute({
  method: 'get',
  path: '/audit',
  tag: 'audit',
  summary: 'List audit entries, newest first',
  description:
    'Records every accepted write and login, and denied requests: wrong passwords, expired or revoked tokens (401), ' +
    'missing permissions (403) and conflicts (409). Denials are limited to 60 entries at once, then one a minute, for each ' +
    'caller and each network; `left_out_before` counts the omitted ones. Entries never change. They are deleted only by ' +
    'age, after KEEP_JOBS or by a purge.',
  access: 'admin',
  verb: 'read',
  query,
  answers: {
    200: { description: 'One page; the Link header names the next page.', schema: z.array(entrySchema) },
  },
});

export function auditTrail() {
  const app = subApp();
  app.openapi(listRoute, async (c) => {
    const { page, limit, cursor, ...filter } = c.req.valid('query');
    if (cursor !== undefined && page !== undefined)
      throw new Problem(400, 'bad_query', 'query: page and cursor cannot be combined; send one of them');
    const before = cursor === undefined ? undefined : decodeCursor(cursor);
    const rows = await listAudit(c.var.db, { ...filter, before }, pageRange({ page, limit }));
    return c.json(onePage(c, rows, { page, limit, cursorOf: ({ id }) => id }).map(toEntry), 200);
  });
  return app;
}

function toEntry({ at, detail, ...entry }: AuditEntry): AuditEntryJson {
  return { ...entry, at: at.toISOString(), detail: detail as AuditEntryJson['detail'] };
}
