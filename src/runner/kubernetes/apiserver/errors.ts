/** Errors of apiserver calls, and the rules for which of them a retry can help. */
import type { Status } from './types.ts';

/** `status` 0: no answer came, so the apiserver may or may not have carried out the request. */
export class KubernetesError extends Error {
  readonly status: number;
  /** metav1.Status reason: AlreadyExists, Conflict, Expired … */
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    what: string,
    of: { status: number; reason?: string | undefined; detail: string; retryAfterMs?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(`${what}: ${of.status === 0 ? 'no answer' : of.status}: ${of.detail}`, options);
    this.name = 'KubernetesError';
    this.status = of.status;
    this.reason = of.reason;
    this.retryAfterMs = of.retryAfterMs;
  }
}

/** Makes an error of an answer that is not 2xx; `body` is a metav1.Status, or the text of a proxy in between. */
export function errorFromAnswer(
  what: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
): KubernetesError {
  const answer = parseStatus(body);
  const seconds = answer?.details?.retryAfterSeconds ?? Number(retryAfter ?? Number.NaN);
  return new KubernetesError(what, {
    status,
    reason: answer?.reason,
    detail: answer?.message ?? body.slice(0, 300),
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  });
}

/**
 * True if a retry may help: no answer, overload, a server error, or a token that was just rotated. All others (400, 403,
 * 404, 409, 422) concern the request or the state of the object, which a retry does not change.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return false;
  return [0, 401, 408, 429].includes(error.status) || error.status >= 500;
}

/** True if the request may have been carried out although its answer is missing or an error. */
export function isUnclear(error: unknown): boolean {
  return error instanceof KubernetesError && (error.status === 0 || error.status >= 500);
}

export function hasStatus(error: unknown, status: number): error is KubernetesError {
  return error instanceof KubernetesError && error.status === status;
}

/** True if the resource version of a watch is too old, so that a new list is needed. */
export function isExpired(error: unknown): boolean {
  return hasStatus(error, 410);
}

function parseStatus(body: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'Status'
      ? (parsed as Status)
      : undefined;
  } catch {
    return undefined; // HTML or plain text of a proxy
  }
}
