/**
 * Calls of GitLab's REST API: one try with its token, deadline and most bytes, and the tries that follow a fault that
 * may pass. Knows no route.
 */

import type { z } from 'zod';
import { reasonOf } from '../../job-error.ts';
import { retryAfter } from '../../report-request.ts';
import { waitFor } from '../../wait.ts';
import { GitlabFault } from './gitlab-fault.ts';
import type { GitlabSettings } from './gitlab-settings.ts';

export type Call = {
  /** For a fault's words: `commits`, `item.json` … */
  readonly what: string;
  /** Below /api/v4, its parts encoded. */
  readonly path: string;
  /** Without `?`. */
  readonly query?: string;
  /** Makes it a POST. */
  readonly body?: unknown;
};

export type Answer = { readonly headers: Headers; readonly text: string };

export type Calls = {
  /** One try. @throws GitlabFault, or the reason of `stop` once that is aborted */
  readonly once: (call: Call) => Promise<Answer>;
  /** Tries `attempt` anew after faults that may pass. Safe only for what may be done twice. */
  readonly retried: <T>(attempt: () => Promise<T>) => Promise<T>;
};

const MOST_BYTES = 16 * 1024 * 1024;
const TRIES = 5;
const FIRST_PAUSE_MS = 250;
/** Waits that GitLab asks for are no failures, so they have a bound of their own. */
const MOST_TOLD_WAITS = 20;
const LONGEST_TOLD_WAIT_MS = 15 * 60_000;

export function createCalls(
  { url, token, timeoutMs }: Pick<GitlabSettings, 'url' | 'token' | 'timeoutMs'>,
  stop: AbortSignal,
): Calls {
  /** A rate limit is the token's, not the call's: all lanes rest until then. Any other wait is the call's own. */
  let restUntil = 0;

  function rest(waitMs: number | null): void {
    if (waitMs !== null && waitMs <= LONGEST_TOLD_WAIT_MS)
      restUntil = Math.max(restUntil, Date.now() + waitMs);
  }

  async function once(call: Call): Promise<Answer> {
    for (let left = restUntil - Date.now(); left > 0; left = restUntil - Date.now())
      await waitFor(left, stop);
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${url}/api/v4${call.path}${call.query ? `?${call.query}` : ''}`, {
        method: call.body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json',
          'private-token': token,
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        // A redirect would carry the token elsewhere.
        redirect: 'manual',
        signal: AbortSignal.any([stop, late]),
      });
      if (!response.ok) {
        await response.body?.cancel().catch(() => {});
        const fault = refused(call.what, response);
        if (response.status === 429) rest(fault.waitMs);
        throw fault;
      }
      return { headers: response.headers, text: await readText(call.what, response) };
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof GitlabFault) throw error;
      const [kind, why] = late.aborted
        ? (['timeout', `no answer within ${timeoutMs / 1000} s`] as const)
        : (['unreachable', reasonOf(error)] as const);
      throw new GitlabFault(kind, `${call.what}: ${why}`, { cause: error, mayPass: true });
    }
  }

  async function retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failures = 0, waits = 0; ; ) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof GitlabFault && error.mayPass)) throw error;
        if (error.waitMs === null) {
          failures += 1;
          if (failures >= TRIES) throw error;
          await waitFor(FIRST_PAUSE_MS * 2 ** (failures - 1), stop);
        } else {
          waits += 1;
          if (waits > MOST_TOLD_WAITS || error.waitMs > LONGEST_TOLD_WAIT_MS) throw error;
          await waitFor(error.waitMs, stop);
        }
      }
    }
  }

  return { once, retried };
}

function refused(what: string, { status, headers }: Response): GitlabFault {
  const words = `${what}: answered ${status}`;
  if (status === 401) return new GitlabFault('unauthorized', words);
  if (status === 403) return new GitlabFault('forbidden', words);
  if (status === 404) return new GitlabFault('missing', words);
  if (status >= 300 && status < 400) {
    return new GitlabFault('status', `${words}: GITLAB_URL must be where it leads to`);
  }
  const mayPass = status === 429 || status === 408 || status >= 500;
  return new GitlabFault('status', words, { mayPass, waitMs: toldWait(status, headers) });
}

/**
 * `Retry-After` of a 429 or a 503. Of a 429 without it the second since 1970 in `RateLimit-Reset`, which gitlab.com
 * sends with every answer: with another one it says when the quota begins anew, not when the call may come again.
 */
function toldWait(status: number, headers: Headers): number | null {
  const after = status === 429 || status === 503 ? retryAfter(headers.get('retry-after')) : null;
  if (after !== null || status !== 429) return after;
  const reset = headers.get('ratelimit-reset') ?? '';
  return /^\d{9,11}$/.test(reset) ? Math.max(0, Number(reset) * 1000 - Date.now()) : null;
}

async function readText(what: string, response: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  const body: ReadableStream<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new GitlabFault('content', `${what}: more than ${MOST_BYTES} bytes`);
    text += decoded(what, () => decoder.decode(chunk, { stream: true }));
  }
  return text + decoded(what, () => decoder.decode());
}

function decoded(what: string, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    throw new GitlabFault('content', `${what}: not UTF-8`, { cause: error });
  }
}

/** @throws GitlabFault for what is no JSON (a login page, say) or has not the fields that are needed */
export function parseAnswer<T>(what: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GitlabFault('content', `${what}: not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.');
  throw new GitlabFault('content', `${what}: JSON, but not as expected${where ? ` (${where})` : ''}`);
}

/** The query of the next page. Only that is taken from the link: the token goes to no address but ours. */
export function nextQuery(headers: Headers): string | null {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(headers.get('link') ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, 'http://here')) return null;
  return new URL(link, 'http://here').search.slice(1) || null;
}
