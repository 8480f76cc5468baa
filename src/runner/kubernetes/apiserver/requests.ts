/** HTTP requests to one apiserver: JSON calls with a deadline, safe ones retried, and streams without an end. */
import { request } from 'undici';
import type { Connection } from './connection.ts';
import { errorFromAnswer, KubernetesError } from './errors.ts';
import { orAborted, repeat } from './retry.ts';

export type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** Reports one attempt of a call. `status` is 0 without an answer, `resource` a plural such as `jobs`. */
export type OnCall = (call: { method: string; resource: string; status: number; seconds: number }) => void;

export type Requests = {
  /** Retries transient failures; only for calls that are safe to repeat. */
  ask<T>(call: Call): Promise<T>;
  /** Makes one attempt. @throws KubernetesError, with status 0 when no answer came within the deadline */
  send<T>(call: Call, withinMs?: number): Promise<T>;
  /** Yields the body of a GET as it arrives, until the apiserver ends it or the signal aborts. */
  stream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): AsyncGenerator<Buffer>;
};

const CALL_MS = 8_000;
const HEADERS_MS = 10_000;

/** @param onCall called for every attempt except streams */
export function createRequests(connection: Connection, onCall?: OnCall): Requests {
  const send = async <T>(call: Call, withinMs = CALL_MS): Promise<T> => {
    const answer = await sendOnce(connection, call, { withinMs, onCall });
    if (answer.status >= 300) throw failed(connection, `${call.method} ${call.path}`, answer);
    return JSON.parse(answer.text) as T;
  };
  return {
    send,
    ask: <T>(call: Call) => repeat((withinMs) => send<T>(call, withinMs), CALL_MS),
    stream: (path, query, signal) => streamBody(connection, { path, query, signal }),
  };
}

type Answer = { readonly status: number; readonly text: string; readonly retryAfter: string | undefined };

async function sendOnce(
  connection: Connection,
  call: Call,
  { withinMs, onCall }: { withinMs: number; onCall: OnCall | undefined },
): Promise<Answer> {
  const what = `${call.method} ${call.path}`;
  const signal = AbortSignal.timeout(withinMs);
  const { headers, dispatcher } = await authenticate(connection, what, 'call');
  const began = performance.now();
  const report = (status: number) => {
    const seconds = (performance.now() - began) / 1000;
    onCall?.({ method: call.method, resource: resourceOf(call.path), status, seconds });
  };
  try {
    const response = await orAborted(
      request(urlOf(connection, call.path, call.query), {
        method: call.method,
        dispatcher,
        signal,
        headers: { ...headers, accept: 'application/json', 'content-type': 'application/json' },
        body: call.body === undefined ? null : JSON.stringify(call.body),
      }),
      signal,
    );
    const text = await response.body.text();
    report(response.statusCode);
    return { status: response.statusCode, text, retryAfter: response.headers['retry-after']?.toString() };
  } catch (cause) {
    report(0);
    throw noAnswer(what, cause, signal.aborted ? `within ${Math.round(withinMs / 1000)} s` : undefined);
  }
}

async function* streamBody(
  connection: Connection,
  of: { path: string; query: Readonly<Record<string, string>>; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const what = `GET ${of.path}`;
  const ended = new AbortController();
  const { headers, dispatcher } = await authenticate(connection, what, 'stream');
  try {
    const response = await orAborted(
      request(urlOf(connection, of.path, of.query), {
        dispatcher,
        signal: AbortSignal.any([of.signal, ended.signal]),
        headers: { ...headers, accept: 'application/json, */*' },
        headersTimeout: HEADERS_MS,
        bodyTimeout: 0,
      }),
      AbortSignal.any([of.signal, AbortSignal.timeout(HEADERS_MS)]),
    );
    const { statusCode: status } = response;
    if (status >= 300) {
      const retryAfter = response.headers['retry-after']?.toString();
      throw failed(connection, what, { status, text: await response.body.text(), retryAfter });
    }
    for await (const chunk of response.body) yield chunk as Buffer;
  } catch (cause) {
    throw cause instanceof KubernetesError ? cause : noAnswer(what, cause);
  } finally {
    ended.abort();
  }
}

/** Reloads the credentials after a 401, since they may have been rotated. */
function failed(connection: Connection, what: string, answer: Answer): KubernetesError {
  if (answer.status === 401) connection.reload();
  return errorFromAnswer(what, answer.status, answer.text, answer.retryAfter);
}

async function authenticate(connection: Connection, what: string, use: 'call' | 'stream') {
  try {
    return await connection.authenticate(use);
  } catch (cause) {
    // An exec plugin or a token file may fail for a moment.
    throw noAnswer(what, cause, 'no credentials');
  }
}

function urlOf(connection: Connection, path: string, query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `${connection.server}${path}${search === '' ? '' : `?${search}`}`;
}

/** The resource a path addresses, without the object's name. */
function resourceOf(path: string): string {
  return /\/(jobs|pods|events|selfsubjectaccessreviews)(\/|$)/.exec(path)?.[1] ?? 'other';
}

function noAnswer(what: string, cause: unknown, why?: string): KubernetesError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new KubernetesError(
    what,
    { status: 0, detail: why === undefined ? message : `${why}: ${message}` },
    { cause },
  );
}
