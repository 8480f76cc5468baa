/** Calls GitLab's REST API with token, deadline, size limit and retries. Knows no route. */
import { type HttpAnswer, httpCall } from '../../http/http-call.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { retryAfter } from '../../http/retry-after.ts';
import { createClockReader } from '../../sources/source-clock.ts';
import type { SourceClock } from '../../sources/source.ts';
import { GitlabFault } from './gitlab-fault.ts';
import type { GitlabSettings } from './gitlab-settings.ts';
import { createPatience, LONGEST_TOLD_WAIT_MS, PATIENCE_MS, type Retried } from './patience.ts';
import { Waits } from './waits.ts';

export type Call = {
  /** Name of the request in errors: `commits`, `item.json` … */
  readonly what: string;
  /** Path below /api/v4, with encoded parts. */
  readonly path: string;
  /** Without `?`. */
  readonly query?: string;
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly body?: unknown;
  /** Follows a redirect to the content, without sending the token. */
  readonly mayLieElsewhere?: boolean;
};

export type Answer = Pick<HttpAnswer, 'header'> & { readonly text: string };

export type Calls = {
  /** Makes one attempt. @throws GitlabFault; the reason of `stop` once that is aborted */
  readonly once: (call: Call) => Promise<Answer>;
  readonly retried: Retried;
  /** GitLab's clock, from all answers so far. */
  readonly clock: () => SourceClock;
};

export type CallOptions = {
  readonly stop: AbortSignal;
  /** Called with the reason for waiting; with null once the run continues. */
  readonly onWait: (forWhat: string | null) => void;
  readonly patienceMs?: number;
};

const MOST_BYTES = 16 * 1024 * 1024;

const AWAY: readonly number[] = [502, 503, 504];

export function createCalls(
  { url, token, timeoutMs }: Pick<GitlabSettings, 'url' | 'token' | 'timeoutMs'>,
  { stop, onWait, patienceMs = PATIENCE_MS }: CallOptions,
): Calls {
  const clock = createClockReader();
  const waits = new Waits(stop, onWait);
  /** A rate limit belongs to the token, so all calls pause until this time. Any other wait concerns one call. */
  let restUntil = 0;

  async function send({ what, path, query, method, body, mayLieElsewhere }: Call): Promise<HttpAnswer> {
    const call = { shownAs: what, deadlineMs: timeoutMs, silenceMs: timeoutMs, stop };
    const answer = await httpCall({
      ...call,
      url: new URL(`${url}/api/v4${path}${query ? `?${query}` : ''}`),
      method: method ?? 'GET',
      headers: {
        accept: 'application/json',
        'private-token': token,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    clock.hear(answer.header);
    const place = mayLieElsewhere === true ? placeOf(answer, url) : null;
    if (place === null) return answer;
    answer.discard();
    return await httpCall({ ...call, url: place });
  }

  async function once(call: Call): Promise<Answer> {
    for (let left = restUntil - Date.now(); left > 0; left = restUntil - Date.now())
      await waits.pause(left, 'GitLab: its rate limit to reset');
    try {
      const answer = await send(call);
      // For a GET only 200 marks a complete answer.
      if (call.method === undefined ? answer.status !== 200 : !isSuccess(answer.status)) {
        answer.discard();
        const fault = refused(call.what, answer);
        if (fault.kind === 'limited' && fault.mayPass)
          restUntil = Math.max(restUntil, Date.now() + (fault.waitMs ?? 0));
        throw fault;
      }
      return { header: answer.header, text: await answer.text(MOST_BYTES) };
    } catch (error) {
      throw error instanceof HttpFault ? GitlabFault.of(error) : error;
    }
  }

  async function isThere(): Promise<boolean> {
    try {
      const answer = await send({ what: 'version', path: '/version' });
      answer.discard();
      return !AWAY.includes(answer.status);
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      return false;
    }
  }

  return { once, clock: clock.read, retried: createPatience({ waits, isThere, patienceMs }) };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function placeOf({ status, header }: HttpAnswer, base: string): URL | null {
  const location = status >= 300 && status < 400 ? header('location') : null;
  return location !== null && URL.canParse(location, base) ? new URL(location, base) : null;
}

function refused(what: string, { status, header }: HttpAnswer): GitlabFault {
  const words = `${what}: answered ${status}`;
  if (status === 401) return new GitlabFault('unauthorized', words);
  if (status === 403) return new GitlabFault('forbidden', words);
  if (status === 404) return new GitlabFault('missing', words);
  if (status >= 300 && status < 400)
    return new GitlabFault('status', `${words}; set GITLAB_URL to the address it redirects to`);
  const kind = status === 429 ? 'limited' : AWAY.includes(status) ? 'away' : 'status';
  const waitMs = toldWait(status, header);
  if (waitMs !== null && waitMs > LONGEST_TOLD_WAIT_MS) {
    const longest = LONGEST_TOLD_WAIT_MS / 1000;
    const long = `${words} and asks for a wait of ${Math.ceil(waitMs / 1000)} s; the limit is ${longest} s`;
    // A rate limit belongs to the token, so other calls would fail too.
    return new GitlabFault(kind, long, { endsRun: kind === 'limited' });
  }
  const mayPass = status === 429 || status === 408 || status >= 500;
  return new GitlabFault(kind, words, { mayPass, waitMs });
}

/**
 * Milliseconds from `Retry-After` of a 429 or 503. For a 429 without it, from `RateLimit-Reset` (seconds since 1970).
 * gitlab.com sends that header with every answer; with other statuses it only tells when the quota resets.
 */
function toldWait(status: number, header: HttpAnswer['header']): number | null {
  const after = status === 429 || status === 503 ? retryAfter(header('retry-after')) : null;
  if (after !== null || status !== 429) return after;
  const reset = header('ratelimit-reset') ?? '';
  return /^\d{9,11}$/.test(reset) ? Math.max(0, Number(reset) * 1000 - Date.now()) : null;
}
