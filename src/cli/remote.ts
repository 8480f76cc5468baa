/** Calls the api as the person at the terminal: with the kept token, renewed in time, and faults in words. */
import { createParser } from 'eventsource-parser';
import { CliFailure, EXIT } from './failure.ts';
import { keepToken, readToken } from './tokens.ts';

const CALL_MS = 15_000;
/** A followed stream has a heartbeat every 15 s: silent for so long, it is cut. */
const SILENT_MS = 40_000;
/** Tokens last 15 minutes; one that is used is renewed after five. */
const RENEW_AFTER_MS = 5 * 60_000;

export type Reply<T> = { readonly status: number; readonly body: T; readonly next: string | undefined };
export type Call = { readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> };

export type Server = {
  readonly url: string;
  /** @throws CliFailure for a refusal, with the server's words, and for a server that cannot be reached */
  call<T>(method: string, route: string, call?: Call): Promise<Reply<T>>;
  /** The text of an answer that is not JSON. */
  text(route: string): Promise<string>;
  /** Events until the server ends the stream or the signal aborts. @throws CliFailure */
  events(route: string, signal: AbortSignal, lastEventId?: string): AsyncGenerator<ServerEvent>;
  /** Exchanges a password for a token, and keeps it. */
  login(username: string, password: string): Promise<void>;
  logout(): void;
};

export type ServerEvent = {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
};

type Problem = {
  readonly message?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
};

/** @param options.token given outright (SYNCRATOR_TOKEN): neither kept nor renewed */
export function createServer(options: { url: string; tokens: string; token: string | undefined }): Server {
  const { url, tokens } = options;

  async function send(method: string, route: string, call: Call & { signal?: AbortSignal } = {}) {
    const token = route === '/login' ? undefined : (options.token ?? (await currentToken()));
    try {
      return await fetch(url + route, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...call.headers,
        },
        body: call.json === undefined ? null : JSON.stringify(call.json),
        signal: call.signal ?? AbortSignal.timeout(CALL_MS),
      });
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw unreachable(url, error);
    }
  }

  /** Renewed on the way when it is old; where that fails, the call itself will say why. */
  async function currentToken(): Promise<string | undefined> {
    const kept = readToken(tokens, url);
    if (!kept || Date.now() < kept.renewAt) return kept?.token;
    const answer = await fetch(`${url}/login/renew`, {
      method: 'POST',
      headers: { authorization: `Bearer ${kept.token}` },
      signal: AbortSignal.timeout(CALL_MS),
    }).catch((error: unknown) => Promise.reject(unreachable(url, error)));
    return answer.ok ? keep(await tokenOf(answer)) : kept.token;
  }

  function keep(token: string): string {
    keepToken(tokens, url, { token, renewAt: Date.now() + RENEW_AFTER_MS });
    return token;
  }

  return {
    url,
    async call<T>(method: string, route: string, call?: Call): Promise<Reply<T>> {
      const answer = await send(method, route, call);
      if (!answer.ok) throw await refusal(answer, url);
      const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
      // What each route answers is documented; who calls says which.
      return { status: answer.status, body: (await answer.json()) as T, next };
    },
    async text(route) {
      const answer = await send('GET', route);
      if (!answer.ok) throw await refusal(answer, url);
      return await answer.text();
    },
    async *events(route, signal, lastEventId) {
      const silence = new AbortController();
      let timer = setTimeout(() => silence.abort(), SILENT_MS);
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      try {
        const answer = await send('GET', route, {
          signal: AbortSignal.any([signal, silence.signal]),
          headers,
        });
        if (!answer.ok) throw await refusal(answer, url);
        let got: ServerEvent[] = [];
        const parser = createParser({
          onEvent: ({ event = 'message', id, data }) =>
            got.push({ event, id, data: JSON.parse(data) as unknown }),
        });
        for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), SILENT_MS);
          parser.feed(part);
          yield* got;
          got = [];
        }
      } catch (error) {
        if (signal.aborted || error instanceof CliFailure) throw error;
        throw unreachable(url, error);
      } finally {
        clearTimeout(timer);
      }
    },
    async login(username, password) {
      const answer = await send('POST', '/login', { json: { username, password } });
      if (!answer.ok) throw await refusal(answer, url);
      keep(await tokenOf(answer));
    },
    logout: () => keepToken(tokens, url, undefined),
  };
}

async function tokenOf(answer: Response): Promise<string> {
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new CliFailure(`${answer.url} gave no token: is it a Syncrator server?`);
  return token;
}

/** The server's own words, field by field, and what to do where it is not plain. */
async function refusal(answer: Response, url: string): Promise<CliFailure> {
  const text = await answer.text();
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    problem = { message: `${url} answered ${answer.status}: is it a Syncrator server?` };
  }
  const fields = (problem.errors ?? []).map(({ field, message }) => `  ${field}: ${message}`);
  const told = problem.message ?? `${url} answered ${answer.status}`;
  const isAtDoor = answer.status === 401 && !answer.url.endsWith('/login');
  const lines = isAtDoor
    ? [`${url} does not know you (${problem.code ?? told}). Log in: syncrator login`]
    : [told, ...fields];
  return new CliFailure(lines.join('\n'), answer.status >= 500 ? EXIT.unreachable : EXIT.usage);
}

function unreachable(url: string, error: unknown): CliFailure {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new CliFailure(
    `${url} cannot be reached (${why}). Is it running? Another address: --url or SYNCRATOR_URL.`,
    EXIT.unreachable,
  );
}
