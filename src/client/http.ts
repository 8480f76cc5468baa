/** Calls a Syncrator server over HTTP, in a browser or in Node, and tells a refusal from an unreachable server. */
import { createParser } from 'eventsource-parser';
import createOpenApiClient, { type Client as OpenApiClient } from 'openapi-fetch';
import type { paths } from './api-types.ts';

/** Tokens last 15 minutes; a client that keeps one renews it after five. */
export const RENEW_AFTER_MS = 5 * 60_000;

const CALL_MS = 15_000;
/** The server sends a heartbeat every 15 s: a stream silent for this long counts as cut. */
const SILENT_MS = 40_000;

/** Every route of the OpenAPI document, as typed calls. */
export type Routes = OpenApiClient<paths>;

export type Answer<T> = { readonly data: T; readonly response: Response };

export type ServerEvent = {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
};

type FieldFault = { readonly field: string; readonly message: string };

/** The server refused a call: `message` is its own, `fields` name the fields at fault. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly FieldFault[];
  /** The whole problem (RFC 9457), for further members such as `job_id`. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    const { message, code, errors } = problem;
    super(typeof message === 'string' ? message : `the server answered ${status}`);
    this.status = status;
    this.code = typeof code === 'string' ? code : 'unknown';
    this.fields = Array.isArray(errors) ? errors.filter(isFieldFault) : [];
    this.problem = problem;
  }
}

/** No complete answer came in time. A write may have taken effect nevertheless. */
export class Unreachable extends Error {
  constructor(url: string, cause: unknown) {
    const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
    const why = inner instanceof Error ? inner.message || inner.name : String(inner);
    super(`${url || 'the server'} cannot be reached (${why})`, { cause });
  }
}

export type Http = {
  /**
   * Makes one call within 15 s, or without a time limit until `signal` aborts.
   * @throws Refused, Unreachable; the signal's reason once it aborts
   */
  readonly call: <T>(
    work: (routes: Routes) => Promise<{ data?: T | undefined; response: Response }>,
    signal?: AbortSignal,
  ) => Promise<Answer<T>>;
  /** Reads the answer of a route that the OpenAPI document does not describe. @throws as `call` */
  readonly json: (route: string) => Promise<unknown>;
  /**
   * Yields the events of one stream until the server ends it.
   * @param open calls the stream's route with the headers it is given and `parseAs: 'stream'`
   * @throws as `call`
   */
  readonly events: (open: OpenStream, options: StreamOptions) => AsyncGenerator<ServerEvent>;
};

export type OpenStream = (
  routes: Routes,
  headers: Readonly<Record<string, string>>,
) => Promise<{ response: Response }>;

type StreamOptions = { signal: AbortSignal; lastEventId?: string | undefined; onOpen?: () => void };

export type HttpOptions = {
  /** In the form `http://host:port`, without a final slash; empty for the page's own server. */
  readonly url: string;
  /** Called before each request; undefined sends no token. */
  readonly token: () => Promise<string | undefined>;
  /** Kept in the audit with every call that writes. */
  readonly reason?: string | undefined;
  /** Cuts short every call that has no signal of its own. */
  readonly signal?: AbortSignal | undefined;
};

export function createHttp(options: HttpOptions): Http {
  const call = async <T>(
    work: (fetch: Fetch) => Promise<{ data?: T | undefined; response: Response }>,
    signal = options.signal,
  ): Promise<Answer<T>> => {
    const fetch = await authorized(options, signal ?? AbortSignal.timeout(CALL_MS));
    try {
      const { data, response } = await work(fetch);
      if (data === undefined) throw new Error('the answer is empty');
      return { data, response };
    } catch (error) {
      throw faultOf(error, options.url, signal);
    }
  };
  return {
    call: (work, signal) => call((fetch) => work(routesOf(options.url, fetch)), signal),
    json: async (route) => {
      const answer = await call(async (fetch) => {
        const response = await fetch(new Request(options.url + route));
        const data: unknown = await response.json();
        return { data, response };
      });
      return answer.data;
    },
    events: (open, stream) => readEvents(open, options, stream),
  };
}

/**
 * Reads an answer that may be empty, which `parseAs` would not detect.
 * @param sent with `parseAs: 'stream'`
 */
export async function unparsed<T>(
  sent: Promise<{ response: Response }>,
  read: (response: Response) => Promise<T>,
): Promise<Answer<T>> {
  const { response } = await sent;
  return { data: await read(response), response };
}

/** The route of the next page, if the `Link` header names one. */
export function nextPage({ headers }: Response): string | undefined {
  return /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
}

/** Encodes a reason for the audit: headers carry bytes, so the text goes as UTF-8 on one line. */
export function reasonHeader(reason: string | undefined): { 'x-reason'?: string } {
  const text = reason?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (text === '') return {};
  return { 'x-reason': String.fromCharCode(...new TextEncoder().encode(text)) };
}

function routesOf(url: string, fetch: Fetch): Routes {
  return createOpenApiClient<paths>({
    baseUrl: url,
    fetch,
    querySerializer: { array: { style: 'form', explode: false } },
  });
}

type Fetch = (request: Request) => Promise<Response>;

/**
 * Makes a `fetch` that sends the token and the reason, and throws Refused for every status but 2xx.
 * @throws what `options.token` throws
 */
async function authorized({ token, reason }: HttpOptions, signal: AbortSignal): Promise<Fetch> {
  const bearer = await token();
  return async (request) => {
    if (bearer !== undefined) request.headers.set('authorization', `Bearer ${bearer}`);
    if (request.method !== 'GET' && !request.headers.has('x-reason'))
      for (const [name, value] of Object.entries(reasonHeader(reason))) request.headers.set(name, value);
    const answer = await fetch(request, { signal });
    if (!answer.ok) throw await refusal(answer);
    return answer;
  };
}

function faultOf(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true || error instanceof Refused || error instanceof Unreachable) return error;
  return new Unreachable(url, error);
}

async function* readEvents(
  open: OpenStream,
  options: HttpOptions,
  { signal, lastEventId, onOpen }: StreamOptions,
): AsyncGenerator<ServerEvent> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    const fetch = await authorized(options, AbortSignal.any([signal, silence.signal]));
    const routes = routesOf(options.url, fetch);
    const { response } = await open(
      routes,
      lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    );
    onOpen?.();
    let got: ServerEvent[] = [];
    const parser = createParser({
      onEvent: ({ event = 'message', id, data }) =>
        got.push({ event, id, data: JSON.parse(data) as unknown }),
    });
    for await (const part of chunksOf(response)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENT_MS);
      parser.feed(part);
      yield* got;
      got = [];
    }
  } catch (error) {
    throw faultOf(error, options.url, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a body as it arrives, by a reader: not every browser iterates streams. */
async function* chunksOf(answer: Response): AsyncGenerator<string> {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (!body) return;
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => undefined); // already closed or broken
  }
}

async function refusal(answer: Response): Promise<Refused> {
  const text = await answer.text();
  try {
    const problem: unknown = JSON.parse(text);
    if (isRecord(problem)) return new Refused(answer.status, problem);
  } catch {
    // not JSON: reported below
  }
  const message = `${answer.url} answered ${answer.status}: is it a Syncrator server?`;
  return new Refused(answer.status, { message, code: 'no_problem' });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isFieldFault(value: unknown): value is FieldFault {
  return isRecord(value) && typeof value['field'] === 'string' && typeof value['message'] === 'string';
}
