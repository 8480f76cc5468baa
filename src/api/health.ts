/** `/health`: the process lives; the process can serve. */
import { z } from '@hono/zod-openapi';
import { readInstallation } from '../db/migrate.ts';
import { within } from '../temporal/connect.ts';
import type { ApiDeps } from './context.ts';
import { defineRoute, subApp } from './route.ts';

const liveRoute = defineRoute({
  method: 'get',
  path: '/health/live',
  tag: 'health',
  summary: 'The event loop answers',
  access: 'public',
  deadline: false,
  answers: { 200: { description: 'Alive.', types: { 'text/plain': z.string() }, example: 'OK' } },
});

const readyRoute = defineRoute({
  method: 'get',
  path: '/health/ready',
  tag: 'health',
  summary: 'Postgres answers; Temporal away is degraded, and still ready',
  access: 'public',
  answers: {
    200: {
      description: 'Ready.',
      schema: z.object({
        status: z.enum(['ok', 'degraded']),
        postgres: z.literal('ok'),
        temporal: z.enum(['ok', 'unreachable']),
      }),
      example: { status: 'ok', postgres: 'ok', temporal: 'ok' },
    },
  },
});

export function health({ temporal }: ApiDeps) {
  const app = subApp();
  app.openapi(liveRoute, (c) => c.text('OK'));
  app.openapi(readyRoute, async (c) => {
    await readInstallation(c.var.db);
    const { connection } = temporal;
    const answers = await within(1_000, connection, () => connection.workflowService.getSystemInfo({})).then(
      () => true,
      (error: unknown) => {
        c.var.log.warn({ err: error }, 'Temporal does not answer');
        return false;
      },
    );
    return c.json({
      status: answers ? 'ok' : 'degraded',
      postgres: 'ok',
      temporal: answers ? 'ok' : 'unreachable',
    });
  });
  return app;
}
