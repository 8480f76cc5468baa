/** The one way to Solr: a request with a deadline, tried again where that is safe, its answer checked, its error in words. */

import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { maskCredentials } from '../../../domain/mask.ts';
import { JobError, reasonOf } from '../../job-error.ts';
import { retryAfter } from '../../report-request.ts';

export type SolrRequest<T> = {
  /** Below SOLR_URL, such as `admin/collections`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** With it the request is a POST of JSON. */
  readonly body?: string;
  readonly schema: z.ZodType<T>;
  readonly parse?: (text: string) => unknown;
  readonly deadlineMs?: number;
};

/** Every request of ours may be repeated: an answer that is lost leaves nothing that doing it again would spoil. */
export type SolrClient = <T>(request: SolrRequest<T>) => Promise<T>;

/** Solr's no, with its own words. */
export class SolrRefusal extends JobError {
  readonly status: number;

  constructor(status: number, message: string) {
    // Without credentials that count nothing can be done, so nothing was.
    super(status === 401 || status === 403 ? 'notConfigured' : 'failed', message);
    this.status = status;
  }
}

export const READ_DEADLINE_MS = 60_000;
/** A commit waits for the new searcher; undici itself gives up waiting for an answer after 300 s. */
export const COMMIT_DEADLINE_MS = 280_000;

const TRIES = 6;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const COME_AGAIN: readonly number[] = [429, 502, 503, 504];

/** @param url may hold a user and a password: they travel in the header alone */
export function createSolrClient(url: string, options: { deadlineMs?: number } = {}): SolrClient {
  const { base, authorization } = takeApart(url);
  return async ({ path, query = {}, body, schema, parse = JSON.parse, deadlineMs = READ_DEADLINE_MS }) => {
    const address = `${base}${path}?${new URLSearchParams({ ...query, wt: 'json' }).toString()}`;
    const limit = options.deadlineMs ?? deadlineMs;
    for (let tried = 1; ; tried += 1) {
      const answer = await send(address, { body, authorization, limit });
      if (answer.kind === 'answered') return read(path, answer, schema, parse);
      if (tried === TRIES || answer.kind === 'late') {
        throw new JobError('failed', `sink: Solr ${path}: ${answer.why}`, { cause: answer.cause });
      }
      const pause = FIRST_PAUSE_MS * 2 ** (tried - 1);
      await delay(Math.min(Math.max(pause, answer.after ?? 0), LONGEST_PAUSE_MS));
    }
  };
}

type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  /** Nobody there, or too busy. */
  | { readonly kind: 'busy'; readonly why: string; readonly after: number | null; readonly cause?: unknown }
  | { readonly kind: 'late'; readonly why: string; readonly cause: unknown };

async function send(
  address: string,
  of: { body: string | undefined; authorization: string | null; limit: number },
): Promise<Answer> {
  try {
    const response = await fetch(address, {
      headers: {
        ...(of.authorization ? { authorization: of.authorization } : {}),
        ...(of.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(of.body === undefined ? {} : { method: 'POST', body: of.body }),
      // A redirect would carry the credentials elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(of.limit),
    });
    const text = await response.text();
    const { status } = response;
    if (!COME_AGAIN.includes(status)) return { kind: 'answered', status, text };
    const after = retryAfter(response.headers.get('retry-after'));
    return { kind: 'busy', why: `answered ${status}: ${wordsOf(text)}`, after };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'TimeoutError') {
      return { kind: 'late', why: `no answer within ${of.limit / 1000} s`, cause };
    }
    return { kind: 'busy', why: maskCredentials(reasonOf(cause)), after: null, cause };
  }
}

function read<T>(
  path: string,
  { status, text }: { status: number; text: string },
  schema: z.ZodType<T>,
  parse: (text: string) => unknown,
): T {
  if (status < 200 || status > 299) {
    throw new SolrRefusal(status, `sink: Solr ${path} answered ${status}: ${wordsOf(text)}`);
  }
  const answer = schema.safeParse(parsed(text, parse));
  if (answer.success) return answer.data;
  throw new JobError('failed', `sink: Solr ${path} answered ${status} with something else than expected`, {
    cause: answer.error,
  });
}

/** Solr's own message, or the beginning of what some other server says. */
function wordsOf(text: string): string {
  const answer = parsed(text, JSON.parse) as { error?: { msg?: unknown } } | null | undefined;
  const message = answer?.error?.msg;
  const words = typeof message === 'string' ? message : text.replaceAll(/<[^>]*>|\s+/g, ' ').trim();
  return maskCredentials(words.slice(0, 500)) || 'no words';
}

function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    // What is no JSON is judged by whoever asked: no schema takes undefined.
    return undefined;
  }
}

/** fetch refuses addresses with credentials. */
function takeApart(url: string): { base: string; authorization: string | null } {
  const address = new URL(url);
  const { username, password } = address;
  const base = `${address.origin}${address.pathname.replace(/\/*$/, '/')}`;
  if (username === '' && password === '') return { base, authorization: null };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { base, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
