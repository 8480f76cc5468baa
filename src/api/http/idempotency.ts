/** `Idempotency-Key`: repeating a request with its key repeats the answer for 24 hours; submit stores the key. */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Idempotency } from '../../db/jobs/idempotency.ts';
import type { ApiEnv } from '../context.ts';

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .openapi({
      description: 'Repeating the request with the same key within 24 hours repeats the answer.',
      example: '5f0c6c1e-nightly',
    }),
});

/**
 * The key of the request with a hash of its method, path and body.
 * @param body as parsed by its schema, which orders the fields
 */
export function idempotencyOf(c: Context<ApiEnv, string>, body: unknown = null): Idempotency | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return undefined;
  const asked = `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`;
  return { principal: c.var.user.id, key, bodyHash: createHash('sha256').update(asked).digest('hex') };
}
