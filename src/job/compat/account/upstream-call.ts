/** Calls the account API once and parses its JSON. Every failure is an HttpFault. */
import type { z } from 'zod';
import { httpCall } from '../../http/http-call.ts';
import { HttpFault, statusFault } from '../../http/http-fault.ts';
import { retryAfter } from '../../http/retry-after.ts';

/** An account's warehouses are a few kilobytes. */
const MOST_BYTES = 32 * 1024 * 1024;

export type Call<T> = {
  /** Path below the API's address, without a leading slash. */
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly token?: string;
  /** Body; makes the call a POST. */
  readonly json?: unknown;
};

/** Settings that all calls of a run share. */
export type Upstream = {
  readonly apiUrl: string;
  readonly timeoutMs: number;
  /** Aborts a call at once; its reason is thrown. */
  readonly stop: AbortSignal;
};

/** @throws HttpFault; the reason of `stop` once that is aborted */
export async function callUpstream<T>(
  { apiUrl, timeoutMs, stop }: Upstream,
  { path, schema, token, json }: Call<T>,
): Promise<T> {
  const method = json === undefined ? 'GET' : 'POST';
  const shownAs = `${method} ${apiUrl}${path}`;
  const answer = await httpCall({
    url: new URL(apiUrl + path),
    shownAs,
    method,
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    deadlineMs: timeoutMs,
    stop,
  });
  const { status } = answer;
  if (status !== 200) {
    answer.discard();
    throw statusFault(status, shownAs, retryAfter(answer.header('retry-after')));
  }
  return parse(await answer.text(MOST_BYTES), schema, shownAs);
}

/** Errors do not quote the answer, which is data or a token. */
function parse<T>(text: string, schema: z.ZodType<T>, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the answer.
    throw new HttpFault('bad_answer', `${where} answers with something other than JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'the answer'}: ${issue.message}`);
  throw new HttpFault('bad_answer', `${where}: ${faults.join('; ')}`);
}
