/** Authorises the program of an attempt by its SYNCRATOR_REPORT_TOKEN, for every route that such a program calls. */
import type { Context } from 'hono';
import type { Config } from '../../config/config.ts';
import { findJobUid } from '../../db/views/job-views.ts';
import { verifyReportToken } from '../../auth/report-token.ts';
import { bearerToken, noReportToken, reportToken } from '../auth/access.ts';
import type { ApiEnv } from '../context.ts';
import { noJob } from '../jobs/jobs.ts';
import { Problem } from '../http/problem.ts';

export type Attempt = { readonly id: number; readonly step: number; readonly attempt: number };

/** What an attempt is told that must not, or must no longer, do anything. */
export const refusedAttempt = {
  cancelling: ({ id }: Attempt) =>
    new Problem(409, 'cancelling', `job ${id} is being cancelled; this attempt must not start`),
  ended: ({ id, step, attempt }: Attempt) =>
    new Problem(410, 'ended', `attempt ${attempt} of step ${step} of job ${id} has ended`),
  unknown: ({ id, step, attempt }: Attempt) =>
    new Problem(404, 'unknown_attempt', `job ${id} has no attempt ${attempt} of step ${step}`),
};

/**
 * The attempt that the token of the request was made for.
 * @throws Problem 401 for another kind of token, 403 for one of another job, 404 for an unknown job
 */
export async function tokensAttempt(
  c: Context<ApiEnv, string>,
  config: Config,
  id: number,
): Promise<Attempt> {
  const token = bearerToken(c.req.header('authorization'));
  const claimed = reportToken(token);
  const uid = await findJobUid(c.var.db, id);
  if (uid === undefined) throw noJob(id);
  if (!verifyReportToken(config.secrets, token, uid)) throw otherToken(id);
  return { id, ...claimed };
}

function otherToken(id: number): Problem {
  const detail = `the token was not made for an attempt of job ${id}`;
  return new Problem(403, 'other_token', detail, { anonymous: 'report_token' });
}

const EXAMPLE: Attempt = { id: 7, step: 0, attempt: 1 };

/** The refusals of every route of a program, for the OpenAPI document. */
export const ATTEMPT_REFUSALS = [
  noReportToken(),
  otherToken(EXAMPLE.id),
  noJob(EXAMPLE.id),
  refusedAttempt.unknown(EXAMPLE),
  refusedAttempt.cancelling(EXAMPLE),
  refusedAttempt.ended(EXAMPLE),
];
