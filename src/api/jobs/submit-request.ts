/** Starts a planned job on behalf of a request: adds the caller, its Idempotency-Key and the request's own database. */
import type { Context } from 'hono';
import type { Submission } from '../../db/jobs/submission.ts';
import type { Submitted } from '../../db/jobs/submit.ts';
import { denialReason, requirementOf, scopeOf } from '../../domain/permission.ts';
import type { Trigger } from '../../domain/job.ts';
import { acceptJob, type StartDeps, startJob } from '../../engine/start-job.ts';
import type { PlannedJob } from '../../job-params/plan-job.ts';
import { checkMay } from '../auth/access.ts';
import { requestOrigin } from '../auth/request-origin.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { idempotencyOf } from '../http/idempotency.ts';

type Options = {
  readonly trigger?: Trigger;
  /** The author of the job's options; a params file by default. */
  readonly optionsBy?: 'caller' | 'params_file';
  /** The answer can say that the start is remembered (QUEUE=one); else a busy target refuses it. */
  readonly mayQueue?: boolean;
} & Pick<Submission, 'resumes' | 'alone' | 'unpromoted'>;

/**
 * @param options.body the Idempotency-Key is bound to it, to the method and to the path
 * @param options.resumes the failed job that this one continues
 * @throws Problem 403 where the caller's permissions exclude the job
 */
export async function startRequested(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  planned: PlannedJob,
  { body, ...options }: Options & { readonly body?: unknown } = {},
): Promise<Submitted> {
  const submission = submissionOf(c, planned, options);
  return await startJob(startDeps(c, deps), { ...submission, idempotency: idempotencyOf(c, body) });
}

/**
 * Accepts one of several jobs of a request, without its Idempotency-Key; the caller pokes them all at the end.
 * @throws Problem 403
 */
export async function acceptRequested(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  planned: PlannedJob,
  options: Options,
): Promise<Submitted> {
  return await acceptJob(startDeps(c, deps), submissionOf(c, planned, options));
}

/** The database and the log as this request has them. */
export function startDeps(c: Context<ApiEnv, string>, { temporal }: Pick<ApiDeps, 'temporal'>): StartDeps {
  return { temporal, db: c.var.db, log: c.var.log };
}

function submissionOf(
  c: Context<ApiEnv, string>,
  planned: PlannedJob,
  { optionsBy = 'params_file', mayQueue = false, ...options }: Options,
): Omit<Submission, 'uid'> {
  checkMay(c, requirementOf(planned, optionsBy));
  if (options.unpromoted) checkMay(c, { role: 'admin', of: scopeOf(planned) });
  const by = { requestedBy: c.var.user.shown, origin: requestOrigin(c) };
  const submission = { ...planned, trigger: 'api' as const, ...options, ...by };
  return mayQueue ? { ...submission, mayReplace: mayReplace(c) } : { ...submission, queue: undefined };
}

/** To replace a remembered start is to cancel it. */
export function mayReplace(c: Context<ApiEnv, string>): NonNullable<Submission['mayReplace']> {
  return (remembered) => denialReason(c.var.user.grant, { role: 'operator', of: remembered }) === undefined;
}
