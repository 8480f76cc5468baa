/** Who may call a route: everybody, or the bearer of a token with the role it needs; reads are open where the installation says so. */
import type { Context, MiddlewareHandler } from 'hono';
import type { Config } from '../config.ts';
import { databaseTime } from '../db/clock.ts';
import { noteOidcUser } from '../db/oidc-users.ts';
import { findUser } from '../db/users.ts';
import { type Grant, refusalOf, type Role, type Touched, unlimited } from '../domain/grant.ts';
import { parseReportToken } from '../report-token.ts';
import { parseServiceToken } from '../service-token.ts';
import type { ApiEnv } from './context.ts';
import { databaseDeadline } from './deadline.ts';
import { forbidden, type Problem, unauthorized } from './problem.ts';
import { serviceUser } from './service-user.ts';
import { verifyToken } from './tokens.ts';
import { localUser, type User } from './user.ts';

/**
 * A role is of a token's bearer; `read` is a viewer's, and public where PUBLIC_READS=true; `report` carries a token of
 * its own, which its route goes on to check.
 */
export type Access = 'public' | 'read' | 'report' | Role;

/**
 * What the limits of who asks are held against: each job, which the route sees to itself (`checkMay`), or everything there
 * is, which is for those without limits.
 */
export type Touches = 'jobs' | 'everything';

/** Knows who asks by their token; what a local one may do is Postgres' to say (`permits`). */
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
async function userOf(c: Context<ApiEnv, string>, token: string): Promise<User | undefined> {
  const { oidc, config } = c.var;
  const now = databaseTime(c.var.db);
  const service = parseServiceToken(token);
  if (service) {
    let user: User | undefined;
    await databaseDeadline(c, async () => {
      user = await serviceUser(c.var.db, service, now);
    });
    return user;
  }
  if (oidc?.isNamedIn(token) === true) return await oidc.verify(token, now);
  const claims = await verifyToken(config.secrets, token, now);
  return claims && localUser(claims);
}

function newToken({ localLogin, oidc }: Config): string {
  return localLogin || !oidc ? 'POST /login gives a new one' : `${oidc.issuer} gives a new one`;
}

/**
 * Lets through who has the role, and no limits where a route concerns every environment. Only routes that ask Postgres
 * anyway come here: a dry run of what is declared, which shows and changes nothing secret, works without.
 */
export function permits(access: Access, touches: Touches | undefined): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    // Unset where everybody may call.
    const { user } = c.var as { user?: User };
    if (user) {
      await databaseDeadline(c, async () => c.set('user', { ...user, grant: await grantOf(c, user) }));
      if (isRole(access)) checkMay(c, access, touches === 'everything' ? touches : undefined);
    }
    await next();
  };
}

/**
 * As of now: of a user of ours, whose tokens are good for minutes yet, it may have been changed or taken away. Keeps name
 * and role of one of the issuer's, whom only the issuer can disable.
 */
async function grantOf(c: Context<ApiEnv>, user: User): Promise<Grant> {
  if (user.kind === 'token') return user.grant; // its row has just been read
  if (user.kind === 'oidc') {
    await noteOidcUser(c.var.db, { sub: user.sub, name: user.name, role: user.role });
    return user.grant;
  }
  const found = await findUser(c.var.db, user.username);
  if (!found) throw unauthorized('there is no such user any more', { code: 'user_unknown', subject: user });
  if (found.disabled)
    throw unauthorized('the user has been disabled', { code: 'user_disabled', subject: user });
  const { role, envs, actions } = found;
  return { role, envs, actions };
}

export function isRole(access: Access): access is Role {
  return access !== 'public' && access !== 'read' && access !== 'report';
}

/**
 * For routes that know only by their parameters, their body or a row what they touch.
 * @throws Problem 403 naming the role it needs, and the env or action that is outside of the limits
 */
export function checkMay(c: Context<ApiEnv>, role: Role, of?: Touched | 'everything'): void {
  const refusal = refusalOf(c.var.user.grant, { role, of });
  if (refusal) throw forbidden(refusal);
}

/** What a route of this access refuses, as the document shows it. */
export function refusedTo(access: Role, touches: Touches | undefined): Problem[] {
  const grant = touches === 'jobs' ? { ...unlimited(access), envs: ['qas'] } : unlimited('viewer');
  const refusal = refusalOf(grant, { role: access, of: { env: 'prd', action_name: 'sync', action: 'sync' } });
  return refusal ? [forbidden(refusal)] : [];
}

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

/** The attempt a token claims to be of. @throws Problem 401 for what is no report token */
export function reportToken(token: string): { step: number; attempt: number } {
  const claimed = parseReportToken(token);
  if (!claimed) throw noReportToken();
  return claimed;
}

export function noReportToken(): Problem {
  return unauthorized('the token is not a report token');
}
