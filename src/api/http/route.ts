/** Declares a route: access, strict input, answers and errors, both documented and enforced. */
import { STATUS_CODES } from 'node:http';
import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import {
  type Access,
  isRole,
  permits,
  permitsWhileAsked,
  denialExamples,
  requires,
  type Touches,
} from '../auth/access.ts';
import { jsonBody, type Mend, noBody } from './body.ts';
import { reasonHeaders } from '../auth/request-origin.ts';
import type { ApiEnv } from '../context.ts';
import { databaseDeadline } from './db-timeout.ts';
import { oidcUnreachable } from '../auth/issuer-keys.ts';
import { bodyProblem, partProblem, Problem, problemSchema } from './problem.ts';
import { problemExamples } from '../openapi/problem-examples.ts';
import { auditDenials } from '../auth/audit-denied.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Answer = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Overrides the example of the schema. */
  readonly example?: unknown;
  /** The schema of each media type, for answers that are not JSON. */
  readonly types?: Readonly<Record<string, z.ZodType>>;
};

type Answers = Readonly<Record<number, Answer>>;

type Declaration<P extends string, Params, Query, Body, A extends Answers> = {
  readonly method: Method;
  readonly path: P;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly touches?: Touches;
  /** The verb of denied requests in the audit, on routes that write; reads have `read`. */
  readonly verb?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly headers?: z.ZodObject;
  readonly json?: Body;
  readonly bodyLimit?: number;
  /** Changes the body before it is checked. */
  readonly mendBody?: Mend;
  /** An empty body counts as `{}`. */
  readonly bodyOptional?: true;
  /** Documents the body; the route reads it itself. */
  readonly ownBody?: NonNullable<RouteConfig['request']>['body'];
  /** False: works without Postgres. `user`: only the permission check has the deadline, because the work takes longer. */
  readonly deadline?: false | 'user';
  readonly answers: A;
  /** Errors as they are thrown, shown as examples; a status alone shows the common ones. */
  readonly errors?: readonly (Problem | number)[];
};

/** The media types of an answer, each with its schema. */
type ContentOf<A> = A extends { readonly types: infer T extends Readonly<Record<string, z.ZodType>> }
  ? { [M in keyof T]: { schema: T[M] } }
  : {
      'application/json': {
        schema: A extends { readonly schema: infer S extends z.ZodType } ? S : z.ZodString;
      };
    };

/**
 * A route as its handler sees it: checked input, and the answers that it may give, by status. Problems are thrown, so
 * their statuses are documented but not among the answers.
 */
type Defined<P extends string, Params, Query, Body, A extends Answers> = Omit<
  RouteConfig,
  'path' | 'request' | 'middleware' | 'method' | 'responses'
> & {
  method: Method;
  path: P;
  responses: { [Status in keyof A]: { description: string; content: ContentOf<A[Status]> } };
  request: (Params extends z.ZodType ? { params: Params } : object) &
    (Query extends z.ZodType ? { query: Query } : object) &
    (Body extends z.ZodType
      ? { body: { content: { 'application/json': { schema: Body } }; required: true } }
      : object);
};

const NO_QUERY = z.strictObject({});

/** Defines a route. Rejects unknown query fields on every route and unknown body fields on routes that write. */
export function defineRoute<
  const P extends string,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  const A extends Answers = Answers,
>(route: Declaration<P, Params, Query, Body, A>): Defined<P, Params, Query, Body, A> {
  if (isRole(route.access) && route.deadline === false)
    throw new Error(
      `${route.method} ${route.path}: a role can only be checked with Postgres; remove deadline: false`,
    );
  const doesSomething = route.access === 'operator' || route.access === 'admin';
  if (doesSomething !== (route.verb !== undefined))
    throw new Error(`${route.method} ${route.path}: exactly the routes that write need a verb`);
  const middleware: MiddlewareHandler<ApiEnv>[] = [requires(route.access)];
  if (route.access !== 'public')
    middleware.unshift(auditDenials(route.access === 'report' ? 'report' : route.verb));
  // Before the body is read: its upload must not count towards the deadline, and a denied caller need not send it.
  if (route.deadline !== false) middleware.push(permits(route.access, route.touches));
  else if (route.access !== 'public') middleware.push(permitsWhileAsked(route.access, route.touches));
  if (route.json)
    middleware.push(
      jsonBody({
        limit: route.bodyLimit,
        optional: route.bodyOptional === true,
        mend: route.mendBody,
      }),
    );
  else if (route.method !== 'get' && !route.ownBody) middleware.push(noBody);
  if (route.deadline === undefined) middleware.push(databaseDeadline);
  const headers = doesSomething ? reasonHeaders.extend(route.headers?.shape ?? {}) : route.headers;
  const body = route.json
    ? { content: { 'application/json': { schema: route.json } }, required: route.bodyOptional !== true }
    : route.ownBody;
  // createRoute infers from literals. Here each part is computed, so Defined repeats what createRoute would infer.
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
  } as unknown as RouteConfig) as unknown as Defined<P, Params, Query, Body, A>;
}

function responses(route: Declaration<string, unknown, unknown, unknown, Answers>): RouteConfig['responses'] {
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
    ...(isRole(route.access) ? denialExamples(route.access, route.touches) : []),
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

/** The statuses with which the middleware of a route may answer. */
function impliedBy(route: Declaration<string, unknown, unknown, unknown, Answers>): number[] {
  return [
    400,
    ...(route.access === 'public' ? [] : [401]),
    ...(route.deadline === false ? [] : [503]),
    ...(route.json ? [413, 415, 422] : []),
  ];
}

/** Creates the app of one resource; input that its schemas reject becomes a problem naming the field. */
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

/** The invalid fields of an issue: one, or each unknown field by name. */
export function faultsOf(issue: Issue): { field: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'unknown field' }));
  return [{ field: path.join('.') || 'body', message: issue.message }];
}
