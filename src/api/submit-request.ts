/** Submits on behalf of a request: whose it is, its Idempotency-Key, and the database as this request sees it. */
import type { Context } from 'hono';
import { countedAs } from '../counted-as.ts';
import type { Submission, Submitted } from '../db/submit.ts';
import { touchedBy } from '../domain/grant.ts';
import type { JobRequest, Trigger } from '../domain/job.ts';
import { submit } from '../temporal/submit.ts';
import { checkMay } from './access.ts';
import { originOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { idempotencyOf } from './idempotency.ts';

/**
 * @throws Problem 403 where the limits of who asks leave it out
 * @param options.body what the Idempotency-Key is bound to beside method and path
 * @param options.resumes the job that this one goes on from
 */
export async function submitRequest(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  request: JobRequest,
  options: { trigger?: Trigger; body?: unknown; resumes?: Submission['resumes'] } = {},
): Promise<Submitted> {
  checkMay(c, 'operator', touchedBy(request));
  return await submit(
    { ...deps, db: c.var.db, log: c.var.log },
    {
      ...request,
      trigger: options.trigger ?? 'api',
      requestedBy: c.var.user.shown,
      origin: originOf(c),
      counted: countedAs(deps.params, request, request.parameters),
      resumes: options.resumes,
      idempotency: idempotencyOf(c, options.body),
    },
  );
}
