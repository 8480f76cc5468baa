/** Sends one report over HTTP, once, and classifies the response. */
import type { Report } from '../domain/report.ts';
import { httpCall } from './http/http-call.ts';
import { retryAfter } from './http/retry-after.ts';
import { reasonOf } from './job-error.ts';
import { shownUrl } from './mask.ts';
import type { ReportSettings } from './settings.ts';

export type Reception =
  | { readonly kind: 'accepted' }
  /** 401, 403, 404, 409 or 410: this attempt must not run. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Network error, 408, 429 or 5xx; `retryAfterMs` from Retry-After. */
  | { readonly kind: 'unreachable'; readonly why: string; readonly retryAfterMs: number | null }
  /** Any other status: the report itself is wrong, so no retry would help. */
  | { readonly kind: 'rejected'; readonly why: string };

const REFUSALS: readonly number[] = [401, 403, 404, 409, 410];
/** A report in flight is never aborted: its deadline is short. */
const NEVER = new AbortController().signal;

/** Never throws. */
export async function sendReport(
  { url, token, traceparent }: ReportSettings,
  report: Report,
  timeoutMs: number,
): Promise<Reception> {
  try {
    const { status, header, discard } = await httpCall({
      url: new URL(url),
      shownAs: shownUrl(url),
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(traceparent ? { traceparent } : {}),
      },
      body: JSON.stringify(report),
      deadlineMs: timeoutMs,
      silenceMs: timeoutMs,
      stop: NEVER,
    });
    discard();
    const why = `answered ${status}`;
    if (status >= 200 && status < 300) return { kind: 'accepted' };
    if (REFUSALS.includes(status)) return { kind: 'refused', why };
    if (status >= 500 || status === 429 || status === 408)
      return { kind: 'unreachable', why, retryAfterMs: retryAfter(header('retry-after')) };
    return { kind: 'rejected', why };
  } catch (error) {
    return { kind: 'unreachable', why: reasonOf(error), retryAfterMs: null };
  }
}
