/**
 * The HTTP client of the sync program: one request with deadline, silence limit and redirect rules, whose body is
 * verified to be complete by its framing and its compression. Every failure is an HttpFault.
 */
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { CutBodyError, decodedBody, KNOWN_ENCODINGS } from './decoded-body.ts';
import { HttpFault, networkFault } from './http-fault.ts';

export type HttpCall = {
  /** Without credentials: send them in a header. */
  readonly url: URL;
  /** The request as it appears in errors and logs. */
  readonly shownAs: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /**
   * Name of the setting that holds the address. With it, redirects to the same origin are followed and keep our
   * query; a redirect to another origin is a fault, since it would carry the credentials there. Without it, a
   * redirect is returned as the answer.
   */
  readonly addressOf?: string;
  /** Limit of the whole call, from connecting to the last byte. */
  readonly deadlineMs: number;
  /** Longest silence, before the headers and between two chunks of the body; default {@link SILENCE_MS}. */
  readonly silenceMs?: number;
  /** Aborts the call at once; its reason is thrown. */
  readonly stop: AbortSignal;
};

export type HttpAnswer = {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** false: the body ends when the connection closes, so a truncation would go unnoticed. */
  readonly framed: boolean;
  /** Read it once, or call {@link discard}. @throws HttpFault */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Reads the body as text. @throws HttpFault if it is longer than `mostBytes` or not UTF-8 */
  readonly text: (mostBytes: number) => Promise<string>;
  readonly discard: () => void;
};

const CONNECT_MS = 15_000;
const SILENCE_MS = 60_000;
const MOST_REDIRECTS = 5;

/** Shared by all calls, so that connections are reused. HTTP/1.1 only: behaves alike behind proxies and in tests. */
const agent = new Agent({ connect: { timeout: CONNECT_MS }, allowH2: false });

/** @throws HttpFault; the reason of `stop` once that is aborted */
export async function httpCall(call: HttpCall): Promise<HttpAnswer> {
  call.stop.throwIfAborted();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), call.deadlineMs);
  const faultOf = (error: unknown): Error => {
    if (call.stop.aborted) return call.stop.reason as Error;
    if (error instanceof HttpFault) return error;
    if (error instanceof CutBodyError) {
      return new HttpFault('bad_answer', `${call.shownAs}: ${error.message}`, {
        cause: error,
        mayPass: true,
      });
    }
    if (!late.signal.aborted) return networkFault(error, call.shownAs);
    const words = `${call.shownAs}: no complete answer within ${call.deadlineMs / 1000} s`;
    return new HttpFault('timeout', words, { cause: error });
  };
  try {
    return await followed(call, AbortSignal.any([call.stop, late.signal]), faultOf, () =>
      clearTimeout(timer),
    );
  } catch (error) {
    clearTimeout(timer);
    throw faultOf(error);
  }
}

async function followed(
  call: HttpCall,
  signal: AbortSignal,
  faultOf: (error: unknown) => Error,
  ended: () => void,
): Promise<HttpAnswer> {
  let { url } = call;
  for (let redirects = 0; ; redirects += 1) {
    const answer = toAnswer(call, await send(call, url, signal), faultOf, ended);
    const to = call.addressOf === undefined ? null : redirectOf(answer, url);
    if (to === null) return answer;
    answer.discard();
    if (to.origin !== url.origin) {
      const words = `${call.shownAs} redirects to ${to.origin}; set ${call.addressOf} to the new address`;
      throw new HttpFault('bad_answer', words);
    }
    if (redirects === MOST_REDIRECTS)
      throw new HttpFault('bad_answer', `${call.shownAs} redirects more than ${MOST_REDIRECTS} times`);
    for (const [key, value] of call.url.searchParams) to.searchParams.set(key, value);
    url = to;
  }
}

type Sent = Awaited<ReturnType<typeof request>>;

async function send(call: HttpCall, url: URL, signal: AbortSignal): Promise<Sent> {
  const silence = call.silenceMs ?? SILENCE_MS;
  return await request(url, {
    dispatcher: agent,
    method: call.method ?? 'GET',
    headers: { 'accept-encoding': KNOWN_ENCODINGS, ...call.headers },
    body: call.body ?? null,
    headersTimeout: silence,
    bodyTimeout: silence,
    signal,
  });
}

function toAnswer(
  { shownAs }: HttpCall,
  { statusCode, headers, body }: Sent,
  faultOf: (error: unknown) => Error,
  ended: () => void,
): HttpAnswer {
  const header = (name: string): string | null => [headers[name] ?? []].flat().join(', ') || null;
  // Ignores errors after the body was discarded.
  body.on('error', () => {});
  const discard = (): void => {
    ended();
    body.destroy();
  };
  const chunks = checkedBody(body, header('content-encoding') ?? '', shownAs, faultOf, discard);
  return {
    status: statusCode,
    header,
    framed: header('content-length') !== null || /\bchunked\b/i.test(header('transfer-encoding') ?? ''),
    chunks,
    text: (mostBytes) => textOf(chunks, mostBytes, shownAs),
    discard,
  };
}

async function* checkedBody(
  body: Readable,
  encoding: string,
  shownAs: string,
  faultOf: (error: unknown) => Error,
  discard: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    const decoded = decodedBody(body, encoding);
    if (!decoded)
      throw new HttpFault('bad_answer', `${shownAs} answers in the unknown content-encoding ${encoding}`);
    yield* decoded;
  } catch (error) {
    throw faultOf(error);
  } finally {
    discard();
  }
}

async function textOf(
  chunks: AsyncIterable<Uint8Array>,
  mostBytes: number,
  shownAs: string,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of chunks) {
    size += piece.length;
    // Throwing out of the loop closes the connection.
    if (size > mostBytes)
      throw new HttpFault('bad_answer', `${shownAs} answers more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    throw new HttpFault('bad_answer', `${shownAs} answers with a body that is not UTF-8`, { cause: error });
  }
}

/** The target of a redirect; null if the answer is none. */
function redirectOf({ status, header }: HttpAnswer, from: URL): URL | null {
  const location = [301, 302, 303, 307, 308].includes(status) ? header('location') : null;
  if (location === null || !URL.canParse(location, from.href)) return null;
  const to = new URL(location, from);
  to.username = to.password = '';
  return to;
}
