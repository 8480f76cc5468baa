/** Who may call a route: everybody, or the bearer of a token; reads are open where the installation says so. */
import type { Context, MiddlewareHandler } from 'hono';
import type { Config } from '../config.ts';
import { databaseTime } from '../db/clock.ts';
import { noteOidcUser } from '../db/oidc-users.ts';
import { findUser } from '../db/users.ts';
import { parseReportToken } from '../report-token.ts';
import type { ApiEnv } from './context.ts';
import { Problem } from './problem.ts';
import { verifyToken } from './tokens.ts';
import { localUser, type User } from './user.ts';

/** `read` is public where PUBLIC_READS=true; `report` carries a token of its own, which its route goes on to check. */
export type Access = 'public' | 'read' | 'token' | 'report';

export function requires(access: Access): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (access === 'report') reportToken(bearerToken(c.req.header('authorization')));
    const open =
      access === 'public' || access === 'report' || (access === 'read' && c.var.config.publicReads);
    if (!open) {
      const token = bearerToken(c.req.header('authorization'));
      const user = await userOf(c, token);
      if (!user) throw unauthorized(`the token is not valid or has expired; ${newToken(c.var.config)}`);
      c.set('user', user);
    }
    await next();
  };
}

/** By whoever says that it made the token: an issuer that is away closes its own door alone. @throws Problem 503 */
async function userOf(c: Context<ApiEnv>, token: string): Promise<User | undefined> {
  const { oidc, config } = c.var;
  const now = databaseTime(c.var.db);
  if (oidc?.isNamedIn(token) === true) return await oidc.verify(token, now);
  const claims = await verifyToken(config.secrets, token, now);
  return claims && localUser(claims);
}

function newToken({ localLogin, oidc }: Config): string {
  return localLogin || !oidc ? 'POST /login gives a new one' : `${oidc.issuer} gives a new one`;
}

/**
 * Refuses a user of ours who has been disabled, whose tokens are good for minutes yet; keeps name and role of one of
 * the issuer's, whom only the issuer can disable. Only routes that ask Postgres anyway ask it this too: a dry run,
 * which shows and changes nothing secret, works without.
 */
export const lookUpUser: MiddlewareHandler<ApiEnv> = async (c, next) => {
  // Unset where a read is public.
  const { user } = c.var as { user?: User };
  if (user?.kind === 'local' && (await findUser(c.var.db, user.username))?.disabled === true)
    throw unauthorized('the user has been disabled', 'user_disabled');
  if (user?.kind === 'oidc')
    await noteOidcUser(c.var.db, { sub: user.sub, name: user.name, role: user.role });
  await next();
};

/** @throws Problem 401 when there is no bearer token */
export function bearerToken(header: string | undefined): string {
  if (header === undefined) throw noToken();
  const token = /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(header)?.[1];
  if (token === undefined) throw unauthorized('send the header Authorization: Bearer <token>');
  return token;
}

/** In the words of the orchestrator that this succeeds, whose clients know them. */
export function noToken(): Problem {
  return unauthorized('No Authorization token provided');
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
