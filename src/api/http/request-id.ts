/** Request ids: a new unique one for each request, beside the one that its caller sent. */
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../context.ts';

/** One word, short enough for log and audit. */
const CLIENTS = /^[\x21-\x7e]{1,128}$/;

/** Sets both ids. Callers may repeat their ids, so theirs never replaces ours. */
export const identify: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const given = c.req.header('x-request-id') ?? '';
  c.set('requestId', crypto.randomUUID());
  c.set('clientRequestId', CLIENTS.test(given) ? given : undefined);
  c.header('X-Request-Id', c.var.requestId);
  await next();
};

/** The ids as fields of a log line. */
export function requestFields({ var: { requestId, clientRequestId } }: Context<ApiEnv>) {
  return {
    request: requestId,
    ...(clientRequestId === undefined ? {} : { client_request: clientRequestId }),
  };
}
