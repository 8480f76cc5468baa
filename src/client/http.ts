/** Calls a Syncrator server over HTTP; runs in a browser and in Node. Faults are values to tell apart, in words. */
import { createParser } from 'eventsource-parser';

/** Tokens last 15 minutes; whoever keeps one that is used renews it after five. */
export const RENEW_AFTER_MS = 5 * 60_000;

const CALL_MS = 15_000;
/** A stream has a heartbeat every 15 s: silent for so long, it is cut. */
const SILENT_MS = 40_000;

export type Reply<T> = {
  readonly status: number;
  readonly body: T;
  /** The route of the next page, where the `Link` header names one. */
  readonly next: string | undefined;
  readonly headers: Headers;
};

export type CallOptions = {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
};

export type ServerEvent = {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
};

/** The server has refused: its own words, and the fields it found at fault. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  /** The whole problem (RFC 9457), for members of its own such as `job_id`. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(typeof problem['message'] === 'string' ? problem['message'] : `the server answered ${status}`);
    this.status = status;
    this.code = typeof problem['code'] === 'string' ? problem['code'] : 'unknown';
    this.fields = Array.isArray(problem['errors']) ? (problem['errors'] as Refused['fields']) : [];
    this.problem = problem;
  }
}

/** Nothing answered, or not in time; whether a write was done is not known. */
export class Unreachable extends Error {
  constructor(url: string, cause: unknown) {
    const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
    const why = inner instanceof Error ? inner.message || inner.name : String(inner);
    super(`${url || 'the server'} cannot be reached (${why})`, { cause });
  }
}

export type Http = {
  /** @throws Refused, Unreachable; the signal's reason when it is aborted */
  call<T>(method: string, route: string, options?: CallOptions): Promise<Reply<T>>;
  /** An answer that is not JSON. */
  text(route: string, options?: CallOptions): Promise<string>;
  /** Events until the server ends the stream. @throws Refused, Unreachable; the signal's reason */
  events(
    route: string,
    options: { signal: AbortSignal; lastEventId?: string | undefined; onOpen?: () => void },
  ): AsyncGenerator<ServerEvent>;
};

/** @param options.token asked before each call; undefined goes without */
export function createHttp(options: {
  /** As `http://host:port`, without a slash at its end; empty for the page's own. */
  url: string;
  token: () => Promise<string | undefined>;
}): Http {
  const { url } = options;

  async function send(method: string, route: string, call: CallOptions): Promise<Response> {
    const token = await options.token();
    const timeout = AbortSignal.timeout(CALL_MS);
    let answer: Response;
    try {
      answer = await fetch(url + route, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...call.headers,
        },
        body: call.json === undefined ? null : JSON.stringify(call.json),
        signal: call.signal ?? timeout,
      });
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw new Unreachable(url, error);
    }
    if (!answer.ok) throw await refusal(answer);
    return answer;
  }

  /** A body that breaks off is no answer either. */
  async function whole<T>(body: Promise<T>, call: CallOptions): Promise<T> {
    try {
      return await body;
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw new Unreachable(url, error);
    }
  }

  return {
    async call<T>(method: string, route: string, call: CallOptions = {}): Promise<Reply<T>> {
      const answer = await send(method, route, call);
      const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
      // What each route answers is documented; who calls says which.
      return {
        status: answer.status,
        body: (await whole(answer.json(), call)) as T,
        next,
        headers: answer.headers,
      };
    },
    text: async (route, call = {}) => await whole((await send('GET', route, call)).text(), call),
    async *events(route, { signal, lastEventId, onOpen }) {
      const silence = new AbortController();
      let timer = setTimeout(() => silence.abort(), SILENT_MS);
      try {
        const answer = await send('GET', route, {
          signal: AbortSignal.any([signal, silence.signal]),
          headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
        });
        onOpen?.();
        let got: ServerEvent[] = [];
        const parser = createParser({
          onEvent: ({ event = 'message', id, data }) =>
            got.push({ event, id, data: JSON.parse(data) as unknown }),
        });
        for await (const part of chunksOf(answer)) {
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), SILENT_MS);
          parser.feed(part);
          yield* got;
          got = [];
        }
      } catch (error) {
        if (signal.aborted || error instanceof Refused || error instanceof Unreachable) throw error;
        throw new Unreachable(url, error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Why, for the audit. Headers are bytes: the text goes as its UTF-8, on one line. */
export function reasonHeader(reason: string | undefined): Record<string, string> {
  const words = reason?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (words === '') return {};
  return { 'x-reason': String.fromCharCode(...new TextEncoder().encode(words)) };
}

/** A body as it comes; by reader, since not every browser iterates streams. */
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
    await reader.cancel().catch(() => undefined); // it is over already
  }
}

async function refusal(answer: Response): Promise<Refused> {
  const text = await answer.text();
  try {
    return new Refused(answer.status, JSON.parse(text) as Record<string, unknown>);
  } catch {
    const message = `${answer.url} answered ${answer.status}: is it a Syncrator server?`;
    return new Refused(answer.status, { message, code: 'no_problem' });
  }
}
