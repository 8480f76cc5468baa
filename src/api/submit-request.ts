/** Submits on behalf of a request: whose it is, its Idempotency-Key, and the database as this request sees it. */
import type { Context } from 'hono';
import { countedAs } from '../counted-as.ts';
import type { Submission, Submitted } from '../db/submit.ts';
import { touchedBy } from '../domain/grant.ts';
import type { JobRequest, Trigger } from '../domain/job.ts';
import { accept, type SubmitDeps, submit } from '../temporal/submit.ts';
import { checkMay } from './access.ts';
import { originOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { idempotencyOf } from './idempotency.ts';

type Options = { readonly trigger?: Trigger } & Pick<Submission, 'resumes' | 'alone'>;

/**
 * @throws Problem 403 where the limits of who asks leave it out
 * @param options.body what the Idempotency-Key is bound to beside method and path
 * @param options.resumes the job that this one goes on from
 */
export async function submitRequest(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  request: JobRequest,
  { body, ...options }: Options & { readonly body?: unknown } = {},
): Promise<Submitted> {
  const submission = submissionOf(c, deps, request, options);
  return await submit(submitDeps(c, deps), { ...submission, idempotency: idempotencyOf(c, body) });
}

/**
 * One of the many that a request stands for: its Idempotency-Key is not this one's, and it is its caller who pokes.
 * @throws Problem 403
 */
export async function acceptRequest(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  request: JobRequest,
  options: Options,
): Promise<Submitted> {
  return await accept(submitDeps(c, deps), submissionOf(c, deps, request, options));
}

/** The database and the log as this request has them. */
export function submitDeps(c: Context<ApiEnv, string>, deps: ApiDeps): SubmitDeps {
  return { ...deps, db: c.var.db, log: c.var.log };
}

function submissionOf(
  c: Context<ApiEnv, string>,
  { params }: ApiDeps,
  request: JobRequest,
  options: Options,
): Omit<Submission, 'uid'> {
  checkMay(c, 'operator', touchedBy(request));
  return {
    ...request,
    trigger: 'api',
    ...options,
    requestedBy: c.var.user.shown,
    origin: originOf(c),
    counted: countedAs(params, request, request.parameters),
  };
}
