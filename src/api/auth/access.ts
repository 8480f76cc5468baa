/** Checks who may call a route: everyone, or the bearer of a token with the required role. Reads are open with PUBLIC_READS=true. */
import type { Context, MiddlewareHandler } from 'hono';
import type { Config } from '../../config/config.ts';
import { databaseTime } from '../../db/clock.ts';
import { isDatabaseUnavailable } from '../../db/connect.ts';
import { noteOidcUser } from '../../db/access/oidc-users.ts';
import type { Db } from '../../db/schema.ts';
import { findUser } from '../../db/access/users.ts';
import { type Grant, type Requirement, denialReason, type Role, unlimited } from '../../domain/permission.ts';
import { parseReportToken } from '../../auth/report-token.ts';
import { parseServiceToken } from '../../auth/service-token.ts';
import { knownUser } from './request-origin.ts';
import type { ApiEnv } from '../context.ts';
import { databaseDeadline } from '../http/db-timeout.ts';
import { forbidden, Problem, unauthorized } from '../http/problem.ts';
import { serviceUser } from './service-user.ts';
import { verifyToken } from './tokens.ts';
import { localUser, type User } from './user.ts';

/**
 * Access to a route. A role must be held by the bearer of the token; `read` needs a viewer, or no token with
 * PUBLIC_READS=true; `report` has its own token, which the route checks further.
 */
export type Access = 'public' | 'read' | 'report' | Role;

/**
 * The scope that the limits of the caller are compared with. `jobs`: the route checks each job itself (`checkMay`).
 * `everything`: only callers without limits may call the route.
 */
export type Touches = 'jobs' | 'everything';

/** Identifies the caller by its token; `permits` reads the permissions of local users from Postgres. */
export function requires(access: Access): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (access === 'report') reportToken(bearerToken(c.req.header('authorization')));
    const open =
      access === 'public' || access === 'report' || (access === 'read' && c.var.config.publicReads);
    if (!open) {
      const token = bearerToken(c.req.header('authorization'));
      const user = await userOf(c, token);
      if (!user)
        throw unauthorized(`the token is not valid or has expired; ${newToken(c.var.config)}`, {
          anonymous: parseServiceToken(token) ? 'service_token' : 'token',
        });
      c.set('user', user);
    }
    await next();
  };
}

/** Dispatches on the claimed issuer, so an unreachable OIDC issuer does not affect local tokens. @throws Problem 503 */
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

/** Lets the caller through if it has the role, and no limits where a route concerns every environment. */
export function permits(access: Access, touches: Touches | undefined): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const user = knownUser(c);
    if (user) {
      await databaseDeadline(c, async () => {
        const { id, grant } = await grantOf(c, user);
        c.set('user', { ...user, id, grant });
      });
      if (isRole(access)) checkMay(c, { role: access, of: touches === 'everything' ? touches : undefined });
    }
    await next();
  };
}

/**
 * For routes that work without Postgres, such as dry runs of declared actions, which show no secret and change nothing.
 * While Postgres is unreachable a valid token suffices.
 */
export function permitsWhileAsked(access: Access, touches: Touches | undefined): MiddlewareHandler<ApiEnv> {
  const asked = permits(access, touches);
  return async (c, next) => {
    try {
      await asked(c, async () => undefined);
    } catch (error) {
      if (!isAway(error)) throw error;
      c.var.log.warn({ err: error }, 'cannot reach Postgres to check permissions; the token alone decides');
    }
    await next();
  };
}

/**
 * Checks the caller of a long request, such as an event stream, again.
 * @returns the problem if the caller lost the permission to read; undefined otherwise, and while it cannot be checked
 */
export async function mayStillLook(c: Context<ApiEnv, string>): Promise<Problem | undefined> {
  if (!knownUser(c)) return undefined;
  const { db } = c.var;
  try {
    const user = await userOf(c, bearerToken(c.req.header('authorization')));
    if (!user) return unauthorized('the token has expired');
    await databaseDeadline(c, async () => void (await grantOf(c, user)));
    return undefined;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return error;
    if (isAway(error)) return undefined;
    throw error;
  } finally {
    c.set('db', db); // otherwise the deadlines of all checks would pile up
  }
}

function isAway(error: unknown): boolean {
  return (error instanceof Problem && error.status === 503) || isDatabaseUnavailable(error);
}

/**
 * Reads the current grant of a local user, since it may have changed after the token was made. Stores name and role of an
 * OIDC user, whom only the issuer can disable.
 */
async function grantOf(c: Context<ApiEnv>, user: User): Promise<Pick<User, 'id' | 'grant'>> {
  if (user.kind === 'token') return user; // serviceUser has just read its row
  if (user.kind === 'oidc') {
    await noteOidcUser(c.var.db, { sub: user.sub, name: user.name, role: user.role });
    return user;
  }
  return await localStanding(c.var.db, user);
}

/**
 * Reads the id and current grant of a local user.
 * @throws Problem 401 if the user is deleted or disabled, or the login was ended
 */
async function localStanding(
  db: Db,
  user: Extract<User, { kind: 'local' }>,
): Promise<{ id: string; grant: Grant }> {
  const found = await findUser(db, user.username);
  if (!found)
    throw unauthorized('the user of this token was deleted; log in as another user', {
      code: 'user_unknown',
      subject: user,
    });
  // Names have no colon. Users from before there were ids keep the name as id, as their records do.
  const id = found.id === found.username ? found.id : `${found.username}:${found.id}`;
  const subject = { id, shown: user.shown };
  if (found.disabled) throw unauthorized('the user has been disabled', { code: 'user_disabled', subject });
  // The token may have been obtained with the old password.
  if (found.passwordChangedAt !== null && user.authTime < found.passwordChangedAt)
    throw unauthorized('the password has been changed since this login; log in again', {
      code: 'password_changed',
      subject,
    });
  if (user.authTime < found.loginsEndedAt)
    throw unauthorized('this login was ended; log in again', { code: 'login_ended', subject });
  const { role, envs, actions } = found;
  return { id, grant: { role, envs, actions } };
}

export function isRole(access: Access): access is Role {
  return access !== 'public' && access !== 'read' && access !== 'report';
}

/**
 * Checks the caller against a requirement that a route derives from its parameters, body or a row.
 * @throws Problem 403 naming the required role, and the env or action outside of the limits
 */
export function checkMay(c: Context<ApiEnv>, need: Requirement): void {
  const refusal = denialReason(c.var.user.grant, need);
  if (refusal) throw forbidden(refusal);
}

/** Examples of the 403s of a route, for the OpenAPI document. */
export function denialExamples(access: Role, touches: Touches | undefined): Problem[] {
  const grant = touches === 'jobs' ? { ...unlimited(access), envs: ['qas'] } : unlimited('viewer');
  const refusal = denialReason(grant, {
    role: access,
    of: { env: 'prd', action_name: 'sync', action: 'sync' },
  });
  return refusal ? [forbidden(refusal)] : [];
}

/** Returns the bearer token of the header. @throws Problem 401 if there is none */
export function bearerToken(header: string | undefined): string {
  if (header === undefined) throw noToken();
  const token = /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(header)?.[1];
  if (token === undefined) throw unauthorized('send the header Authorization: Bearer <token>');
  return token;
}

/** The message is that of the predecessor, on which its clients rely. */
export function noToken(): Problem {
  return unauthorized('No Authorization token provided');
}

/** Returns the step and attempt that a report token claims. @throws Problem 401 for any other token */
export function reportToken(token: string): { step: number; attempt: number } {
  const claimed = parseReportToken(token);
  if (!claimed) throw noReportToken();
  return claimed;
}

export function noReportToken(): Problem {
  return unauthorized('the token is not a report token', { anonymous: 'report_token' });
}
