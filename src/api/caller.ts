/** Whose call it is, from where and why: what the audit keeps of each. */
import { getConnInfo } from '@hono/node-server/conninfo';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Origin } from '../db/audit.ts';
import type { ApiEnv } from './context.ts';

const MOST_REASON = 500;

/** Taken by every route that does something. */
export const reasonHeaders = z.object({
  'x-reason': z
    .string()
    .max(MOST_REASON, `must be at most ${MOST_REASON} characters`)
    .optional()
    .openapi({ description: 'Why; kept in the audit.', example: 'the index was dropped by mistake' }),
});

/**
 * To be spread into what is written down.
 * @param because a field of the body that says why, where no header does
 */
export function callerOf(
  c: Context<ApiEnv, string>,
  because?: string,
): { principal: string; origin: Origin } {
  return { principal: c.var.user.shown, origin: originOf(c, because) };
}

export function originOf(c: Context<ApiEnv, string>, because?: string): Origin {
  return {
    address: addressOf(c),
    requestId: c.var.requestId,
    traceparent: c.var.traceparent,
    reason: reasonIn(c.req.header('x-reason')) ?? (because?.trim() || undefined),
  };
}

/** Of the client, or of the proxy before us: what a proxy says of others, anybody could say. */
export function addressOf(c: Context): string {
  const bindings: unknown = c.env;
  // Without a socket (app.request in tests) everybody is one address.
  if (typeof bindings !== 'object' || bindings === null || !('incoming' in bindings)) return 'unknown';
  return getConnInfo(c).remote.address ?? 'unknown';
}

/** Headers are bytes, which Node reads as Latin-1: what is UTF-8, as terminals send it, is read as that. */
function reasonIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  let text = header;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // Latin-1 it is
  }
  const words = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return words === '' ? undefined : words;
}
