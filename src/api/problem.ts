/** Every refusal as one shape: RFC 9457 `application/problem+json`, with our `code` and a `message`. */
import { STATUS_CODES } from 'node:http';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isDatabaseAway } from '../db/connect.ts';
import { type Refusal, ROLES } from '../domain/grant.ts';
import type { ApiEnv } from './context.ts';
import { isTemporalAway } from '../temporal/away.ts';
import type { Subject } from './user.ts';

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    message: z.string().describe('The same as detail.'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('The fields at fault.'),
    holder: z
      .object({ id: z.int(), action: z.string(), status: z.string() })
      .optional()
      .describe('The job that holds the target.'),
    needs: z.enum(ROLES).optional().describe('The role that it needs.'),
    outside: z
      .union([z.object({ env: z.string() }), z.object({ action: z.string() })])
      .optional()
      .describe('What lies outside of the limits of who asks.'),
  })
  .openapi('Problem');

type Extras = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Whom it refuses, for the audit; the answer does not say it. */
  readonly subject?: Subject;
};

/** Thrown for an answer that is a refusal; `detail` names the thing, the value and the bound. */
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

/** As it is sent, and as the document shows it. */
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

/** 503: a part we need is away; asking again is right. */
export function awayProblem(part: 'postgres' | 'temporal'): Problem {
  const name = part === 'postgres' ? 'Postgres' : 'Temporal';
  return new Problem(503, `${part}_away`, `${name} did not answer in time; try again`, {
    headers: { 'retry-after': '2' },
  });
}

/** @param of.subject whom a token names that is good no longer, or not good enough */
export function unauthorized(detail: string, of: { code?: string; subject?: Subject } = {}): Problem {
  const { code = 'unauthorized', subject } = of;
  return new Problem(401, code, detail, {
    headers: { 'www-authenticate': 'Bearer realm="syncrator"' },
    ...(subject ? { subject } : {}),
  });
}

/** 403: who asks is known, and may not. */
export function forbidden({ words, role, outside }: Refusal): Problem {
  return new Problem(403, 'forbidden', words, { members: { needs: role, ...(outside ? { outside } : {}) } });
}

/** What an error means to the client; undefined for a fault of our own. */
function problemOf(error: Error): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isDatabaseAway(error)) return awayProblem('postgres');
  if (isTemporalAway(error)) return awayProblem('temporal');
  if (error instanceof HTTPException && error.status < 500)
    return new Problem(error.status, 'bad_request', error.message || 'bad request');
  return undefined;
}

/** The app's one error handler; a fault of our own is logged and shows nothing of its inside. */
export function onError(error: Error, c: Context<ApiEnv>): Response {
  const problem = problemOf(error);
  if (problem) {
    if (problem.status === 503) c.var.log.warn({ err: error }, 'answered 503');
    return problemResponse(c, problem);
  }
  c.var.log.error({ err: error }, 'answered 500');
  return problemResponse(
    c,
    new Problem(500, 'internal', `something went wrong here; the log has it as request ${c.var.requestId}`),
  );
}

/** What a path does not take. @param methods what it does take */
export function notAllowed(c: Context, methods: readonly string[]): Problem {
  const allow = methods.join(', ');
  const detail = `${c.req.path.slice(0, 200)} does not take ${c.req.method}, but ${allow}`;
  return new Problem(405, 'method_not_allowed', detail, { headers: { allow } });
}
