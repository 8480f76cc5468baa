/** `Idempotency-Key`: the same key and request is answered the same for 24 hours, as submit stores it. */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Submission } from '../db/submit.ts';

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .openapi({ example: '5f0c6c1e-nightly' }),
});

/** The key a request carries with a hash of what it asks for. */
export function idempotencyOf(c: Context, body: unknown = null): Submission['idempotency'] {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return undefined;
  const asked = `${c.req.method} ${c.req.path} ${JSON.stringify(canonical(body))}`;
  return { key, bodyHash: createHash('sha256').update(asked).digest('hex') };
}

/** The same JSON whatever the order of its keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}
