/** Who may call a route: everybody, or the bearer of a token; reads are open where the installation says so. */
import type { MiddlewareHandler } from 'hono';
import { databaseTime } from '../db/clock.ts';
import { findUser } from '../db/users.ts';
import { parseReportToken } from '../report-token.ts';
import type { ApiEnv } from './context.ts';
import { Problem } from './problem.ts';
import { type Claims, verifyToken } from './tokens.ts';

/** `read` is public where PUBLIC_READS=true; `report` carries a token of its own, which its route goes on to check. */
export type Access = 'public' | 'read' | 'token' | 'report';

export function requires(access: Access): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (access === 'report') reportToken(bearerToken(c.req.header('authorization')));
    const open =
      access === 'public' || access === 'report' || (access === 'read' && c.var.config.publicReads);
    if (!open) {
      const token = bearerToken(c.req.header('authorization'));
      const claims = await verifyToken(c.var.config.secrets, token, databaseTime(c.var.db));
      if (!claims) throw unauthorized('the token is not valid or has expired; POST /login gives a new one');
      c.set('user', claims);
    }
    await next();
  };
}

/**
 * Refuses a user who has been disabled, whose tokens are good for minutes yet. Only routes that ask Postgres anyway ask
 * it this too: a dry run, which shows and changes nothing secret, works without.
 */
export const refuseDisabled: MiddlewareHandler<ApiEnv> = async (c, next) => {
  // Unset where a read is public.
  const { user } = c.var as { user?: Claims };
  if (user && (await findUser(c.var.db, user.sub))?.disabled === true)
    throw unauthorized('the user has been disabled', 'user_disabled');
  await next();
};

/** @throws Problem 401 when there is no bearer token */
export function bearerToken(header: string | undefined): string {
  const token = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw unauthorized('send the header Authorization: Bearer <token>');
  return token;
}

export function unauthorized(detail: string, code = 'unauthorized'): Problem {
  return new Problem(401, code, detail, { headers: { 'www-authenticate': 'Bearer realm="syncrator"' } });
}

/** The attempt a token claims to be of. @throws Problem 401 for what is no report token */
export function reportToken(token: string): { step: number; attempt: number } {
  const claimed = parseReportToken(token);
  if (!claimed) throw noReportToken();
  return claimed;
}

export function noReportToken(): Problem {
  return unauthorized('the token is not a report token');
}
