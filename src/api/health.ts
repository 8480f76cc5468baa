/** `/health`: liveness and readiness. */
import { z } from '@hono/zod-openapi';
import { isReadOnly } from '../db/connect.ts';
import { expectWrites } from '../db/migrate.ts';
import { within } from '../temporal/connect.ts';
import type { ApiDeps } from './context.ts';
import { defineRoute, subApp } from './http/route.ts';

const liveRoute = defineRoute({
  method: 'get',
  path: '/health/live',
  tag: 'health',
  summary: 'Check that the process answers',
  access: 'public',
  deadline: false,
  answers: { 200: { description: 'Alive.', types: { 'text/plain': z.string() }, example: 'OK' } },
});

const readyRoute = defineRoute({
  method: 'get',
  path: '/health/ready',
  tag: 'health',
  summary: 'Check that the server can serve',
  description:
    '200 while Postgres answers. `degraded` means that Temporal is unreachable or Postgres is read-only: reads still work.',
  access: 'public',
  answers: {
    200: {
      description: 'Ready.',
      schema: z
        .object({
          status: z.enum(['ok', 'degraded']).describe('`degraded`: some requests answer 503.'),
          postgres: z.enum(['ok', 'read_only']).describe('`read_only`: writes answer 503.'),
          temporal: z
            .enum(['ok', 'unreachable'])
            .describe('`unreachable`: requests that need Temporal answer 503.'),
          params: z
            .enum(['ok', 'faulty'])
            .describe(
              '`faulty`: the params files on disk have faults, and the last good state is in use; GET /params names them.',
            ),
        })
        .openapi('Readiness'),
      example: { status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' },
    },
  },
});

export function health({ temporal, params }: ApiDeps) {
  const app = subApp();
  app.openapi(liveRoute, (c) => c.text('OK'));
  app.openapi(readyRoute, async (c) => {
    // Reads are still served by a read-only Postgres; writes answer 503.
    const postgres = await expectWrites(c.var.db).then(
      () => 'ok' as const,
      (error: unknown) => {
        if (!isReadOnly(error)) throw error;
        c.var.log.warn({ err: error }, 'Postgres is read-only');
        return 'read_only' as const;
      },
    );
    const { connection } = temporal;
    const answers = await within(1_000, connection, () => connection.workflowService.getSystemInfo({})).then(
      () => true,
      (error: unknown) => {
        c.var.log.warn({ err: error }, 'cannot reach Temporal');
        return false;
      },
    );
    return c.json({
      status: answers && postgres === 'ok' ? 'ok' : 'degraded',
      postgres,
      temporal: answers ? 'ok' : 'unreachable',
      params: params.faults.length === 0 ? 'ok' : 'faulty',
    });
  });
  return app;
}
