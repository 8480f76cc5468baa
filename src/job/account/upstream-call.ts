/** One call of the account's API: its deadline, its status, its JSON. What is wrong with it is an UpstreamFault. */

import type { z } from 'zod';
import { retryAfter } from '../report-request.ts';
import { networkFault, UpstreamFault } from './upstream-fault.ts';

/** An account's warehouses are a few kilobytes. */
const MOST_BYTES = 32 * 1024 * 1024;

export type Call<T> = {
  /** Below the API's address, without a slash at the beginning. */
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly token?: string;
  /** Makes it a POST. */
  readonly json?: unknown;
};

/** How calls are made: all of one run alike. */
export type Upstream = {
  readonly apiUrl: string;
  readonly timeoutMs: number;
  /** Ends a call at once, with its reason. */
  readonly stop: AbortSignal;
};

/** @throws UpstreamFault; the reason of `stop` once that is aborted */
export async function callUpstream<T>(
  { apiUrl, timeoutMs, stop }: Upstream,
  { path, schema, token, json }: Call<T>,
): Promise<T> {
  const where = `${json === undefined ? 'GET' : 'POST'} ${apiUrl}${path}`;
  const late = AbortSignal.timeout(timeoutMs);
  let answer: { response: Response; text: string };
  try {
    const response = await fetch(apiUrl + path, {
      method: json === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: json === undefined ? null : JSON.stringify(json),
      // A redirect would carry the credentials elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([stop, late]),
    });
    answer = { response, text: await readText(response, where) };
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof UpstreamFault) throw error;
    if (late.aborted) {
      throw new UpstreamFault('timeout', `${where}: no answer within ${timeoutMs} ms`, { cause: error });
    }
    throw networkFault(error, where);
  }
  refuseStatus(answer.response, where);
  return parse(answer.text, schema, where);
}

async function readText(response: Response, where: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const body: ReadableStream<Uint8Array> | null = response.body;
  for await (const piece of body ?? []) {
    size += piece.length;
    // Leaving the loop closes the connection.
    if (size > MOST_BYTES)
      throw new UpstreamFault('bad_answer', `${where} answers more than ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function refuseStatus(response: Response, where: string): void {
  const { status } = response;
  if (status === 200) return;
  const words = `${where} answered ${status}`;
  if (status === 401 || status === 403) throw new UpstreamFault('unauthorized', words, { status });
  const retryAfterMs = retryAfter(response.headers.get('retry-after'));
  throw new UpstreamFault(status === 429 ? 'rate_limited' : 'http_error', words, { status, retryAfterMs });
}

/** What was answered stays out of the words: it is data, or a token. */
function parse<T>(text: string, schema: z.ZodType<T>, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote what it read.
    throw new UpstreamFault('bad_answer', `${where} answers what is no JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'the answer'}: ${issue.message}`);
  throw new UpstreamFault('bad_answer', `${where}: ${faults.join('; ')}`);
}
