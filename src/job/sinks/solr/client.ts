/** The Solr client: sends requests with a deadline, retries while Solr is unavailable, and checks the answers. */
import type { z } from 'zod';
import { maskCredentials } from '../../../domain/mask.ts';
import { type HttpCall, httpCall } from '../../http/http-call.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { retryThroughOutage } from '../../http/outage.ts';
import { retryAfter } from '../../http/retry-after.ts';
import { JobError } from '../../job-error.ts';

export type SolrRequest<T> = {
  /** Path below SOLR_URL, such as `admin/collections`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON; makes the request a POST. */
  readonly body?: string;
  readonly schema: z.ZodType<T>;
  readonly parse?: (text: string) => unknown;
  readonly deadlineMs?: number;
};

/** All requests are safe to repeat, so a lost answer is retried. */
export type SolrClient = <T>(request: SolrRequest<T>) => Promise<T>;

/** An error answer of Solr, with Solr's own message. */
export class SolrRefusal extends JobError {
  readonly status: number;

  constructor(status: number, message: string) {
    const noRight = status === 401 || status === 403;
    super(noRight ? 'sinkPermission' : 'failed', noRight ? `${message}; ${WHO_MAY}` : message);
    this.status = status;
  }
}

/** True if a collection is missing, or not yet known to the node that answered. */
export function isMissing(error: unknown): boolean {
  return error instanceof SolrRefusal && error.status === 404;
}

const WHO_MAY =
  'give SOLR_URL a user and a password with the rights to read and update the collections and change the aliases';

const READ_DEADLINE_MS = 60_000;
/** A commit waits until the new searcher is open. */
export const COMMIT_DEADLINE_MS = 280_000;

export type SolrPatience = {
  /** How long to wait for an unreachable or busy Solr, in milliseconds. */
  readonly patienceMs: number;
  /** Called with the reason for waiting; with null once the wait is over. */
  readonly onWait: (words: string | null) => void;
  readonly stop: AbortSignal;
  /** Overrides the deadline of every request, in milliseconds. */
  readonly deadlineMs?: number;
};

/** Larger answers do not fit into a JavaScript string. */
const MOST_BYTES = 512 * 1024 * 1024;
const COME_AGAIN: readonly number[] = [429, 502, 503, 504];

/** @param url may contain a user and a password, which are sent in a header only */
export function createSolrClient(url: string, patience: SolrPatience): SolrClient {
  const { base, authorization } = takeApart(url);
  return async ({ path, query = {}, body, schema, parse = JSON.parse, deadlineMs = READ_DEADLINE_MS }) => {
    const address = new URL(`${base}${path}?${new URLSearchParams({ ...query, wt: 'json' }).toString()}`);
    const call = solrCall(address, path, {
      body,
      authorization,
      deadlineMs: patience.deadlineMs ?? deadlineMs,
    });
    const answer = await retryThroughOutage({ ...patience, server: 'the sink', toError: unreachable }, () =>
      send({ ...call, stop: patience.stop }),
    );
    return read(path, answer, schema, parse);
  };
}

function unreachable(fault: HttpFault, more: string): JobError {
  const words = `sink: ${maskCredentials(fault.message)}${more}; check that Solr runs, and SOLR_URL`;
  return new JobError('sinkUnreachable', words, { cause: fault });
}

function solrCall(
  url: URL,
  path: string,
  of: { body: string | undefined; authorization: string | null; deadlineMs: number },
): Omit<HttpCall, 'stop'> {
  return {
    url,
    shownAs: `Solr ${path}`,
    headers: {
      ...(of.authorization ? { authorization: of.authorization } : {}),
      ...(of.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(of.body === undefined ? {} : { method: 'POST', body: of.body }),
    deadlineMs: of.deadlineMs,
    // Solr is silent while it commits, so only the deadline applies.
    silenceMs: 2 * of.deadlineMs,
  };
}

type Answer = { readonly status: number; readonly text: string };

/** @throws HttpFault, which may pass unless the deadline has passed: each deadline is long already */
async function send(call: HttpCall): Promise<Answer> {
  const began = performance.now();
  try {
    const { status, header, text: readText } = await httpCall(call);
    const text = await readText(MOST_BYTES);
    if (!COME_AGAIN.includes(status)) return { status, text };
    const retryAfterMs = retryAfter(header('retry-after'));
    throw new HttpFault('http_error', `${call.shownAs}: answered ${status}: ${wordsOf(text)}`, {
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
  path: string,
  { status, text }: { status: number; text: string },
  schema: z.ZodType<T>,
  parse: (text: string) => unknown,
): T {
  if (status < 200 || status > 299)
    throw new SolrRefusal(status, `sink: Solr ${path} answered ${status}: ${wordsOf(text)}`);
  const answer = schema.safeParse(parsed(text, parse));
  if (answer.success) return answer.data;
  throw new JobError(
    'failed',
    `sink: Solr ${path} answered ${status} with an unexpected body; check that SOLR_URL points to a SolrCloud`,
    {
      cause: answer.error,
    },
  );
}

/** Solr's own message, or the first 500 characters of another server's body. */
function wordsOf(text: string): string {
  const answer = parsed(text, JSON.parse) as { error?: { msg?: unknown } } | null | undefined;
  const message = answer?.error?.msg;
  const words = typeof message === 'string' ? message : text.replaceAll(/<[^>]*>|\s+/g, ' ').trim();
  return maskCredentials(words.slice(0, 500)) || 'no message';
}

function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    // The caller reports invalid JSON: no schema accepts undefined.
    return undefined;
  }
}

/** Moves the credentials of the URL into a header. */
function takeApart(url: string): { base: string; authorization: string | null } {
  const address = new URL(url);
  const { username, password } = address;
  const base = `${address.origin}${address.pathname.replace(/\/*$/, '/')}`;
  if (username === '' && password === '') return { base, authorization: null };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { base, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
