/** All errors in one shape: RFC 9457 `application/problem+json` with a `code` and a `message`. */
import { STATUS_CODES } from 'node:http';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isDatabaseUnavailable, isReadOnly } from '../../db/connect.ts';
import { type Denial, ROLES } from '../../domain/permission.ts';
import type { CredentialKind } from '../../domain/logins.ts';
import type { ApiEnv } from '../context.ts';
import { isTemporalUnavailable } from '../../temporal/unavailable.ts';
import type { Subject } from '../auth/user.ts';

/** A fault of a params file; all of them together keep the files on disk from being used. */
export const faultSchema = z.object({
  file: z.string().describe('The file, or the folder for a fault of all files together.'),
  line: z.int().nullable().describe('The line; null if the fault concerns none.'),
  key: z.string().nullable().describe('The key; null if the fault concerns none.'),
  fault: z.string().describe('The reason.'),
});

export const problemSchema = z
  .object({
    type: z.string().describe('Always `about:blank`.'),
    title: z.string().describe('The reason phrase of the HTTP status.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('The thing, the reason and the fix, in English. Do not parse it.'),
    code: z.string().describe('A stable identifier of the error, for programs.'),
    message: z.string().describe('The same text as `detail`.'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('The invalid fields, each with its reason.'),
    faults: z.array(faultSchema).optional().describe('The faults of the params files.'),
    holder: z
      .object({ id: z.int(), action: z.string(), status: z.string() })
      .optional()
      .describe('The active job that occupies the target.'),
    needs: z.enum(ROLES).optional().describe('The role that the request requires.'),
    outside: z
      .union([z.object({ env: z.string() }), z.object({ action: z.string() })])
      .optional()
      .describe('The env or action that the limits of the caller exclude.'),
  })
  .openapi('Problem');

type Extras = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** The rejected caller, for the audit; not part of the answer. */
  readonly subject?: Subject;
  /** The kind of credential of an unknown caller, for the audit. */
  readonly anonymous?: CredentialKind;
};

/** Thrown to answer with an error; `detail` names the thing, the reason and the fix. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly extras: Extras;
  constructor(status: ContentfulStatusCode, code: string, detail: string, extras: Extras = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.extras = extras;
  }
}

export function problemResponse(c: Context, problem: Problem): Response {
  return c.json(problemBody(problem), problem.status, {
    'content-type': 'application/problem+json',
    ...problem.extras.headers,
  });
}

/** The body of the answer; also the example in the OpenAPI document. */
export function problemBody(problem: Problem) {
  return {
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    message: problem.message,
    ...problem.extras.members,
  };
}

export type Fault = { readonly field: string; readonly message: string };

/** 422 for a body, naming each field. */
export function bodyProblem(errors: readonly Fault[]): Problem {
  return new Problem(422, 'invalid_body', named(errors), { members: { errors } });
}

/** 400 for a path, a query or a header, naming each field. */
export function partProblem(part: string, errors: readonly Fault[]): Problem {
  return new Problem(400, `bad_${part}`, `${part}: ${named(errors)}`, { members: { errors } });
}

function named(errors: readonly Fault[]): string {
  return errors.map((error) => `${error.field}: ${error.message}`).join('; ');
}

/** 503: Postgres or Temporal is unreachable; the client should retry. */
export function awayProblem(part: 'postgres' | 'temporal'): Problem {
  const name = part === 'postgres' ? 'Postgres' : 'Temporal';
  return new Problem(503, `${part}_away`, `${name} did not answer in time; try again`, {
    headers: { 'retry-after': '2' },
  });
}

/** 503: Postgres answers but is read-only, as during a failover. */
function readOnlyProblem(): Problem {
  const words = 'Postgres is read-only (a standby, or set to read-only); try again';
  return new Problem(503, 'postgres_read_only', words, { headers: { 'retry-after': '2' } });
}

/**
 * @param of.subject the caller that an expired, revoked or insufficient token names
 * @param of.anonymous the kind of an unknown credential
 */
export function unauthorized(
  detail: string,
  of: { code?: string; subject?: Subject; anonymous?: CredentialKind } = {},
): Problem {
  const { code = 'unauthorized', subject, anonymous } = of;
  return new Problem(401, code, detail, {
    headers: { 'www-authenticate': 'Bearer realm="syncrator"' },
    ...(subject ? { subject } : {}),
    ...(anonymous ? { anonymous } : {}),
  });
}

/** 403: the caller is known and lacks the permission. */
export function forbidden({ words, role, outside }: Denial): Problem {
  return new Problem(403, 'forbidden', words, { members: { needs: role, ...(outside ? { outside } : {}) } });
}

/** The problem that an error means to the client; undefined for a bug of the server. */
export function problemOf(error: Error): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isReadOnly(error)) return readOnlyProblem();
  if (isDatabaseUnavailable(error)) return awayProblem('postgres');
  if (isTemporalUnavailable(error)) return awayProblem('temporal');
  if (error instanceof HTTPException && error.status < 500)
    return new Problem(error.status, 'bad_request', error.message || 'bad request');
  return undefined;
}

/** The error handler of the app; logs bugs and hides their details from the client. */
export function onError(error: Error, c: Context<ApiEnv>): Response {
  const problem = problemOf(error);
  if (problem) {
    if (problem.status === 503) c.var.log.warn({ err: error }, 'answered 503');
    return problemResponse(c, problem);
  }
  c.var.log.error({ err: error }, 'answered 500');
  return problemResponse(
    c,
    new Problem(500, 'internal', `internal error; search the server log for request ${c.var.requestId}`),
  );
}

/** 405. @param methods the methods of the path */
export function notAllowed(c: Context, methods: readonly string[]): Problem {
  const allow = methods.join(', ');
  const detail = `${c.req.path.slice(0, 200)} does not support ${c.req.method}; it supports ${allow}`;
  return new Problem(405, 'method_not_allowed', detail, { headers: { allow } });
}
