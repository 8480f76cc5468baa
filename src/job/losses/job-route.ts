/** Calls the routes of the api that stand beside the one for reports, and repeats a call while the api is unavailable. */
import { httpCall } from '../http/http-call.ts';
import { HttpFault } from '../http/http-fault.ts';
import { retryThroughOutage } from '../http/outage.ts';
import { retryAfter } from '../http/retry-after.ts';
import { JobError } from '../job-error.ts';
import { shownUrl } from '../mask.ts';
import type { ReportSettings } from '../settings.ts';

export type Api = {
  readonly settings: ReportSettings;
  /** How long to repeat a call that the api does not answer, in milliseconds. */
  readonly budgetMs: number;
  readonly onWait: (words: string | null) => void;
  readonly stop: AbortSignal;
};

export type JobAnswer = { readonly status: number; readonly text: string };

/** The api did not answer in time. */
export class ApiUnavailable extends JobError {
  constructor(words: string, options: ErrorOptions) {
    super('failed', words, options);
  }
}

/** As for a report: this attempt must not run. */
export const REFUSALS: readonly number[] = [401, 403, 409, 410];

const DEADLINE_MS = 30_000;
const MOST_BYTES = 8 * 1024 * 1024;

/** @param path beside `/report`, such as `/held` @throws ApiUnavailable */
export async function callJobRoute(
  { settings: { url, token, traceparent }, budgetMs: patienceMs, onWait, stop }: Api,
  { path, body }: { path: string; body?: string },
): Promise<JobAnswer> {
  const address = new URL(`${url.replace(/\/report$/, '')}${path}`);
  const shownAs = shownUrl(address.href);
  const call = {
    url: address,
    shownAs,
    method: body === undefined ? ('GET' as const) : ('POST' as const),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(traceparent ? { traceparent } : {}),
    },
    ...(body === undefined ? {} : { body }),
    deadlineMs: DEADLINE_MS,
    stop,
  };
  const toError = (fault: HttpFault, more: string): JobError =>
    new ApiUnavailable(`${fault.message}${more}`, { cause: fault });
  return await retryThroughOutage({ patienceMs, onWait, stop, server: 'the api', toError }, async () => {
    const { status, header, text } = await httpCall(call);
    const answer = { status, text: await text(MOST_BYTES) };
    if (status < 500 && status !== 429 && status !== 408) return answer;
    const retryAfterMs = retryAfter(header('retry-after'));
    throw new HttpFault('http_error', `${shownAs} answered ${status}`, {
      status,
      retryAfterMs,
      mayPass: true,
    });
  });
}
