/** Sends one report once, and says how it was received. */

import type { Report } from '../domain/report.ts';
import { reasonOf } from './job-error.ts';
import type { ReportSettings } from './settings.ts';

export type Reception =
  | { readonly kind: 'accepted' }
  /** Somebody who must know says no: this attempt shall not run. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Nobody there, or nobody in a state to answer; `retryAfterMs` if they said when to come again. */
  | { readonly kind: 'unreachable'; readonly why: string; readonly retryAfterMs: number | null }
  /** Understood and found wrong: sending it again helps nobody. */
  | { readonly kind: 'rejected'; readonly why: string };

const REFUSALS: readonly number[] = [401, 403, 404, 409, 410];

/** Never throws. */
export async function sendReport(
  { url, token, traceparent }: ReportSettings,
  report: Report,
  timeoutMs: number,
): Promise<Reception> {
  try {
    const response = await fetch(url, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(traceparent ? { traceparent } : {}),
      },
      body: JSON.stringify(report),
      // A redirect would carry the token elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel().catch(() => {});
    const why = `answered ${response.status}`;
    if (response.ok) return { kind: 'accepted' };
    if (REFUSALS.includes(response.status)) return { kind: 'refused', why };
    if (response.status >= 500 || response.status === 429 || response.status === 408) {
      return { kind: 'unreachable', why, retryAfterMs: retryAfter(response.headers.get('retry-after')) };
    }
    return { kind: 'rejected', why };
  } catch (error) {
    return { kind: 'unreachable', why: reasonOf(error), retryAfterMs: null };
  }
}

/** `Retry-After` in milliseconds, from seconds or an HTTP date; null if absent or neither. */
export function retryAfter(header: string | null, now: number = Date.now()): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
