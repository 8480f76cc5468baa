/**
 * A client of a sink's server that speaks JSON over HTTP: sends requests with a deadline, retries while the server is
 * unavailable, and checks the answers.
 */
import type { z } from 'zod';
import { maskCredentials } from '../../domain/mask.ts';
import { JobError } from '../job-error.ts';
import { type HttpCall, httpCall } from './http-call.ts';
import { HttpFault } from './http-fault.ts';
import { retryThroughOutage } from './outage.ts';
import { retryAfter } from './retry-after.ts';
import { serverAddress } from './server-address.ts';

export type JsonRequest<T> = {
  /** Default: POST with a body, else GET. */
  readonly method?: HttpCall['method'];
  /** Path below the server's address, such as `admin/collections`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly schema: z.ZodType<T>;
  readonly parse?: (text: string) => unknown;
  readonly deadlineMs?: number;
};

/** All requests are safe to repeat, so a lost answer is retried. */
export type JsonClient = <T>(request: JsonRequest<T>) => Promise<T>;

export type JsonServer = {
  /** Its name in messages. */
  readonly name: string;
  /** The setting that holds the address. */
  readonly setting: string;
  /** May contain a user and a password, which are sent in a header only. */
  readonly url: string;
  /** The expected end of the address, for the error about an unexpected answer. */
  readonly expected: string;
  /** The action that a user needs rights for. */
  readonly rights: string;
  /** Sent with every request. */
  readonly query?: Readonly<Record<string, string>>;
  /** The server's own message in an error answer, and its kind. */
  readonly faultIn: (answer: unknown) => { readonly words: unknown; readonly type?: unknown };
};

/** An error answer of the server, with its own message. */
export class ServerRefusal extends JobError {
  readonly status: number;
  /** The server's name for the kind of error; null if it has none. */
  readonly type: string | null;

  constructor(status: number, message: string, of: { type: string | null; whoMay: string }) {
    const noRight = status === 401 || status === 403;
    super(noRight ? 'sinkPermission' : 'failed', noRight ? `${message}; ${of.whoMay}` : message);
    this.status = status;
    this.type = of.type;
  }
}

/** True if the index or collection is missing, or not yet known to the node that answered. */
export function isMissing(error: unknown): boolean {
  return error instanceof ServerRefusal && error.status === 404;
}

export type ServerPatience = {
  /** How long to wait for an unreachable or busy server, in milliseconds. */
  readonly patienceMs: number;
  /** Called with the reason for waiting; with null once the wait is over. */
  readonly onWait: (words: string | null) => void;
  readonly stop: AbortSignal;
  /** Overrides the deadline of every request, in milliseconds. */
  readonly deadlineMs?: number;
};

const READ_DEADLINE_MS = 60_000;
/** Larger answers do not fit into a JavaScript string. */
const MOST_BYTES = 512 * 1024 * 1024;
const COME_AGAIN: readonly number[] = [429, 502, 503, 504];

export function createJsonClient(server: JsonServer, patience: ServerPatience): JsonClient {
  const { url, headers: credentials } = serverAddress(server.url, server.setting);
  const base = `${url.origin}${url.pathname.replace(/\/*$/, '/')}`;
  return async (request) => {
    const { path, query, body, contentType = 'application/json', deadlineMs = READ_DEADLINE_MS } = request;
    const search = new URLSearchParams({ ...query, ...server.query }).toString();
    const deadline = patience.deadlineMs ?? deadlineMs;
    const call: HttpCall = {
      url: new URL(`${base}${path}${search === '' ? '' : `?${search}`}`),
      shownAs: `${server.name} ${path}`,
      method: request.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...credentials,
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
      deadlineMs: deadline,
      // A server is silent while it commits or refreshes, so only the deadline applies.
      silenceMs: 2 * deadline,
      stop: patience.stop,
    };
    const toError = (fault: HttpFault, more: string): JobError => unreachable(server, fault, more);
    const answer = await retryThroughOutage({ ...patience, server: 'the sink', toError }, () =>
      send(call, server),
    );
    return read(request, answer, server);
  };
}

/** The error that ends the wait for a server. */
export function unreachable(
  { name, setting }: Pick<JsonServer, 'name' | 'setting'>,
  fault: HttpFault,
  more: string,
): JobError {
  const words = `sink: ${maskCredentials(fault.message)}${more}; check that ${name} runs, and ${setting}`;
  return new JobError('sinkUnreachable', words, { cause: fault });
}

type Answer = { readonly status: number; readonly text: string };

/** @throws HttpFault, which may pass unless the deadline has passed: each deadline is long already */
async function send(call: HttpCall, server: JsonServer): Promise<Answer> {
  const began = performance.now();
  try {
    const { status, header, text: readText } = await httpCall(call);
    const text = await readText(MOST_BYTES);
    if (!COME_AGAIN.includes(status)) return { status, text };
    const retryAfterMs = retryAfter(header('retry-after'));
    const { words } = faultOf(text, server);
    throw new HttpFault('http_error', `${call.shownAs}: answered ${status}: ${words}`, {
      status,
      retryAfterMs,
    });
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    const { fault, message, retryAfterMs, cause } = error;
    const isLate = fault === 'timeout' && performance.now() - began >= call.deadlineMs;
    throw new HttpFault(fault, message, { cause, retryAfterMs, mayPass: !isLate });
  }
}

function read<T>(
  { path, schema, parse = JSON.parse }: JsonRequest<T>,
  { status, text }: Answer,
  server: JsonServer,
): T {
  const { name, setting, expected, rights } = server;
  if (status < 200 || status > 299) {
    const { words, type } = faultOf(text, server);
    const whoMay = `give ${setting} a user and a password with the rights to ${rights}`;
    throw new ServerRefusal(status, `sink: ${name} ${path} answered ${status}: ${words}`, { type, whoMay });
  }
  const answer = schema.safeParse(parsed(text, parse));
  if (answer.success) return answer.data;
  throw new JobError(
    'failed',
    `sink: ${name} ${path} answered ${status} with an unexpected body; check that ${setting} points to ${expected}`,
    { cause: answer.error },
  );
}

/** The server's own message, or the first 500 characters of another server's body. */
function faultOf(text: string, { faultIn }: JsonServer): { words: string; type: string | null } {
  const { words: said, type } = faultIn(parsed(text, JSON.parse));
  const words = typeof said === 'string' ? said : text.replaceAll(/<[^>]*>|\s+/g, ' ').trim();
  return {
    words: maskCredentials(words.slice(0, 500)) || 'no message',
    type: typeof type === 'string' ? type : null,
  };
}

function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    // The caller reports invalid JSON: no schema accepts undefined.
    return undefined;
  }
}
