/** What went wrong with a call of the apiserver, and the one place that tells what is worth trying again. */
import type { Status } from './objects.ts';

/** `status` 0: no answer came, so that what was asked may or may not have been done. */
export class KubernetesError extends Error {
  readonly status: number;
  /** The apiserver's own word: AlreadyExists, Conflict, Expired … */
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

/** From an answer that is no success; `body` is a metav1.Status, or whatever stands between us and the apiserver said. */
export function refusal(
  what: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
): KubernetesError {
  const said = parseStatus(body);
  const seconds = said?.details?.retryAfterSeconds ?? Number(retryAfter ?? Number.NaN);
  return new KubernetesError(what, {
    status,
    reason: said?.reason,
    detail: said?.message ?? body.slice(0, 300),
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  });
}

/**
 * Worth trying again: no answer, overload, a server in trouble, or a token that was just rotated. Everything else
 * (400, 403, 404, 409, 422) says something about the request or the state, which no repetition changes.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return false;
  return [0, 401, 408, 429].includes(error.status) || error.status >= 500;
}

/** The request may have been carried out although its answer is missing or an error. */
export function isUnclear(error: unknown): boolean {
  return error instanceof KubernetesError && (error.status === 0 || error.status >= 500);
}

export function hasStatus(error: unknown, status: number): error is KubernetesError {
  return error instanceof KubernetesError && error.status === status;
}

/** A watch's resource version is too old: list anew. */
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
    return undefined; // a proxy's HTML or plain text: shown as it is
  }
}
