/** `Idempotency-Key`: the same key and request is answered the same for 24 hours, as submit stores it. */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Idempotency } from '../db/idempotency.ts';
import type { ApiEnv } from './context.ts';

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .openapi({ example: '5f0c6c1e-nightly' }),
});

/**
 * The key a request carries with a hash of what it asks for.
 * @param body as its schema gave it, which is in the schema's order whatever the client's was
 */
export function idempotencyOf(c: Context<ApiEnv, string>, body: unknown = null): Idempotency | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return undefined;
  const asked = `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`;
  return { principal: c.var.user.id, key, bodyHash: createHash('sha256').update(asked).digest('hex') };
}
