/** How a route is declared: its access, its strict input, its answers and its errors, documented and enforced at once. */
import { STATUS_CODES } from 'node:http';
import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { type Access, isRole, permits, refusedTo, requires, type Touches } from './access.ts';
import { jsonBody, noBody } from './body.ts';
import { reasonHeaders } from './caller.ts';
import type { ApiEnv } from './context.ts';
import { databaseDeadline } from './deadline.ts';
import { oidcUnreachable } from './issuer-keys.ts';
import { bodyProblem, partProblem, Problem, problemSchema } from './problem.ts';
import { problemExamples } from './problem-examples.ts';
import { notesRefusals } from './refusals.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Answer = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Where the schema has none, or another one. */
  readonly example?: unknown;
  /** What it is in each media type, where that is not JSON. */
  readonly types?: Readonly<Record<string, z.ZodType>>;
};

type Declaration<P extends string, Params, Query, Body> = {
  readonly method: Method;
  readonly path: P;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly touches?: Touches;
  /** What the audit calls it when it is refused: of all that need more than a look, which is `read`. */
  readonly verb?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly headers?: z.ZodObject;
  readonly json?: Body;
  readonly bodyLimit?: number;
  /** No body is read as one without fields. */
  readonly bodyOptional?: true;
  /** Documented only; the route reads the body itself. */
  readonly ownBody?: NonNullable<RouteConfig['request']>['body'];
  /** False where a route does not need Postgres first; `user` where it needs it to know who asks, and then works longer. */
  readonly deadline?: false | 'user';
  readonly answers: Readonly<Record<number, Answer>>;
  /** As they are thrown, which makes them examples; by status alone where all routes have it in common. */
  readonly errors?: readonly (Problem | number)[];
};

type Defined<P extends string, Params, Query, Body> = Omit<
  RouteConfig,
  'path' | 'request' | 'middleware' | 'method'
> & {
  method: Method;
  path: P;
  request: (Params extends z.ZodType ? { params: Params } : object) &
    (Query extends z.ZodType ? { query: Query } : object) &
    (Body extends z.ZodType
      ? { body: { content: { 'application/json': { schema: Body } }; required: true } }
      : object);
};

const NO_QUERY = z.strictObject({});

/** Unknown query fields are refused on every route, unknown body fields on every route that writes. */
export function defineRoute<
  const P extends string,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(route: Declaration<P, Params, Query, Body>): Defined<P, Params, Query, Body> {
  if (isRole(route.access) && route.deadline === false)
    throw new Error(`${route.method} ${route.path}: a role is not known without Postgres`);
  const doesSomething = route.access === 'operator' || route.access === 'admin';
  if (doesSomething !== (route.verb !== undefined))
    throw new Error(`${route.method} ${route.path}: a verb is for what needs more than a look`);
  const middleware: MiddlewareHandler<ApiEnv>[] = [requires(route.access)];
  if (route.access !== 'public' && route.access !== 'report') middleware.unshift(notesRefusals(route.verb));
  // Before the body is read: the deadline is Postgres' alone, and who may not need not send one.
  if (route.deadline !== false) middleware.push(permits(route.access, route.touches));
  if (route.json)
    middleware.push(jsonBody({ limit: route.bodyLimit, optional: route.bodyOptional === true }));
  else if (route.method !== 'get' && !route.ownBody) middleware.push(noBody);
  if (route.deadline === undefined) middleware.push(databaseDeadline);
  const headers = doesSomething ? reasonHeaders.extend(route.headers?.shape ?? {}) : route.headers;
  const body = route.json
    ? { content: { 'application/json': { schema: route.json } }, required: route.bodyOptional !== true }
    : route.ownBody;
  // createRoute infers from literals; here each part is chosen, and Defined says what the handlers may rely on.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return createRoute({
    method: route.method,
    path: route.path,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.access === 'public' ? { security: [] } : {}),
    ...(route.access === 'report' ? { security: [{ report: [] }] } : {}),
    middleware,
    request: {
      query: route.query ?? NO_QUERY,
      ...(route.params ? { params: route.params } : {}),
      ...(headers ? { headers } : {}),
      ...(body ? { body } : {}),
    },
    responses: responses(route),
  } as unknown as RouteConfig) as unknown as Defined<P, Params, Query, Body>;
}

function responses(route: Declaration<string, unknown, unknown, unknown>): RouteConfig['responses'] {
  const described: RouteConfig['responses'] = {};
  for (const [status, answer] of Object.entries(route.answers))
    described[status] = {
      description: answer.description,
      content: Object.fromEntries(
        Object.entries(answer.types ?? { 'application/json': answer.schema ?? z.string() }).map(
          ([type, schema]) => [
            type,
            { schema, ...(answer.example === undefined ? {} : { example: answer.example }) },
          ],
        ),
      ),
    };
  const asksWho = route.access !== 'public' && route.access !== 'report';
  const errors = [
    ...(route.errors ?? []),
    ...(asksWho ? [oidcUnreachable()] : []),
    ...(isRole(route.access) ? refusedTo(route.access, route.touches) : []),
  ];
  const own = errors.filter((error) => error instanceof Problem);
  const implied = impliedBy(route);
  const stated = errors.map((error) => (error instanceof Problem ? error.status : error));
  for (const status of new Set([...implied, ...stated])) {
    const examples = problemExamples({ status, own, isImplied: implied.includes(status) });
    described[status] = {
      description: STATUS_CODES[status] ?? 'Error',
      content: { 'application/problem+json': { schema: problemSchema, examples } },
    };
  }
  return described;
}

/** What the middleware of a route may refuse it for. */
function impliedBy(route: Declaration<string, unknown, unknown, unknown>): number[] {
  return [
    400,
    ...(route.access === 'public' ? [] : [401]),
    ...(route.deadline === false ? [] : [503]),
    ...(route.json ? [413, 415, 422] : []),
  ];
}

/** An app for one resource: what its schemas refuse becomes a problem that names the field. */
export function subApp(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const faults = result.error.issues.flatMap(faultsOf);
      if (result.target === 'json') throw bodyProblem(faults);
      const where = { param: 'path', query: 'query', header: 'header' }[result.target as string] ?? 'request';
      throw partProblem(where, faults);
    },
  });
}

type Issue = z.core.$ZodIssue;

/** The faults a schema found, one per field, unknown fields by their names. */
export function faultsOf(issue: Issue): { field: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'unknown field' }));
  return [{ field: path.join('.') || 'body', message: issue.message }];
}
