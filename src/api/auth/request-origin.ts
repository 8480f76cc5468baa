/** The origin of a request for the audit: caller, address, request ids and reason. */
import { getConnInfo } from '@hono/node-server/conninfo';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Origin } from '../../db/access/audit.ts';
import { clientAddress, networkOf } from './client-address.ts';
import type { ApiEnv } from '../context.ts';
import type { User } from './user.ts';

const MOST_REASON = 500;

/** Headers of every route that writes. */
export const reasonHeaders = z.object({
  'x-reason': z.string().max(MOST_REASON, `must be at most ${MOST_REASON} characters`).optional().openapi({
    description: 'Why you do this; the audit keeps it.',
    example: 'the index was dropped by mistake',
  }),
});

/**
 * The caller and the origin of a request, to be spread into a record.
 * @param because the reason in the body, used without X-Reason
 */
export function principalAndOrigin(
  c: Context<ApiEnv, string>,
  because?: string,
): { principal: string; origin: Origin } {
  return { principal: c.var.user.shown, origin: requestOrigin(c, because) };
}

export function requestOrigin(c: Context<ApiEnv, string>, because?: string): Origin {
  const user = knownUser(c);
  return {
    address: addressOf(c),
    tokenId: user?.kind === 'token' ? user.tokenId : undefined,
    requestId: c.var.requestId,
    clientRequestId: c.var.clientRequestId,
    traceparent: c.var.traceparent,
    reason: reasonIn(c.req.header('x-reason')) ?? (because?.trim() || undefined),
  };
}

/** The address of the client, through TRUSTED_PROXIES only; headers from other peers are ignored. */
function addressOf(c: Context<ApiEnv, string>): string {
  const bindings: unknown = c.env;
  // Without a socket (app.request in tests) all clients have one address.
  if (typeof bindings !== 'object' || bindings === null || !('incoming' in bindings)) return 'unknown';
  const socket = getConnInfo(c).remote.address;
  if (socket === undefined) return 'unknown'; // the connection is closed
  return clientAddress(socket, c.req.header('x-forwarded-for'), c.var.config.trustedProxies);
}

/** The network of the client, by which anonymous callers are limited. */
export function networkOfCaller(c: Context<ApiEnv, string>): string {
  return networkOf(addressOf(c));
}

/** The caller; undefined on public routes and without a token, which the type of the variable does not show. */
export function knownUser(c: Context<ApiEnv, string>): User | undefined {
  return (c.var as { user?: User }).user;
}

/** Decodes UTF-8, which terminals send, from a header that Node has read as Latin-1. */
function reasonIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  let text = header;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // not UTF-8: keep Latin-1
  }
  const words = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  // Routes without this header have not checked its length.
  return words === '' ? undefined : Array.from(words).slice(0, MOST_REASON).join('');
}
