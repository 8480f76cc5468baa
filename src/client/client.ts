/** Typed calls of the api, for programs and for the page: `import { createClient } from 'syncrator/client'`. */
import { accessCalls } from './calls/access.ts';
import { jobCalls } from './calls/jobs.ts';
import { liveCalls } from './calls/live.ts';
import { lossCalls } from './calls/losses.ts';
import { planCalls } from './calls/plans.ts';
import { startCalls } from './calls/starts.ts';
import { targetCalls } from './calls/targets.ts';
import { createHttp, type Http } from './http.ts';

export type { AuditFilter, AuditPage } from './calls/access.ts';
export type { JobFilter, JobPage } from './calls/jobs.ts';
export type { LiveEvent, LogEvent } from './calls/live.ts';
export type { LossFilter, LossPage, LossRecordPage, RecordFilter } from './calls/losses.ts';
export type { PlanFilter, PlanPage, PlanRecordFilter, PlanRecordPage } from './calls/plans.ts';
export type { Action, RollbackTo, Start, StartOptions } from './calls/starts.ts';
export { Refused, Unreachable } from './http.ts';
export type * from './types.ts';

/**
 * @param options.url as `http://127.0.0.1:8080`
 * @param options.token called before each request, so that it may renew the token
 */
export function createClient(options: { url: string; token: () => Promise<string | undefined> }): Client {
  return clientOver(createHttp({ ...options, url: options.url.replace(/\/+$/, '') }));
}

export type Client = ReturnType<typeof clientOver>;

/** Every call throws Refused and Unreachable. A start with an idempotency key may be repeated. */
export function clientOver(http: Http) {
  return {
    ...jobCalls(http),
    ...startCalls(http),
    ...lossCalls(http),
    ...planCalls(http),
    ...targetCalls(http),
    ...accessCalls(http),
    ...liveCalls(http),
  };
}
