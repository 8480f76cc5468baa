/** One request for one page of source `ndjson`: its headers and its bytes, each awaited with a deadline. */

import { JobError, reasonOf } from '../job-error.ts';
import { shownUrl } from '../mask.ts';

export type Page = {
  readonly date: Date;
  readonly total: number;
  readonly more: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
};

/** The network or the server failed in a way that may pass: worth another try. */
export class PageFault extends Error {
  override readonly name = 'PageFault';
}

/** Longest silence of a source: before its headers, or between two pieces of a page. */
const SILENCE_MS = 60_000;

/** @throws PageFault for what may pass, JobError for what will not, the reason of `stop` once that is aborted */
export async function requestPage({
  url,
  query,
  stop,
  silenceMs = SILENCE_MS,
}: {
  url: string;
  query: Readonly<Record<string, string>>;
  stop: AbortSignal;
  silenceMs?: number;
}): Promise<Page> {
  const address = new URL(url);
  const headers: Record<string, string> = { accept: 'application/x-ndjson' };
  if (address.username || address.password) {
    // fetch refuses a URL with credentials, and says them in its error.
    const credentials = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
    address.username = address.password = '';
  }
  for (const [key, value] of Object.entries(query)) address.searchParams.set(key, value);

  const silence = new AbortController();
  const signal = AbortSignal.any([stop, silence.signal]);
  const guarded = async <T>(wait: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => silence.abort(new Error(`no answer for ${silenceMs} ms`)), silenceMs);
    try {
      return await wait;
    } catch (error) {
      stop.throwIfAborted();
      throw new PageFault(`${shownUrl(url)}: ${reasonOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };

  const response = await guarded(fetch(address, { headers, signal }));
  const body = response.body?.getReader();
  const discard = async (): Promise<void> => {
    await body?.cancel().catch(() => {});
  };
  try {
    if (response.status >= 500 || response.status === 429) {
      throw new PageFault(`${shownUrl(url)} answered ${response.status}`);
    }
    if (!response.ok) throw new JobError('failed', `${shownUrl(url)} answered ${response.status}`);
    return { ...readHeaders(response.headers, url), chunks: chunks(), discard };
  } catch (error) {
    await discard();
    throw error;
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (!body) return;
    try {
      for (;;) {
        const { value, done } = await guarded(body.read());
        if (done) return;
        yield value;
      }
    } finally {
      await discard();
    }
  }
}

function readHeaders(headers: Headers, url: string): Pick<Page, 'date' | 'total' | 'more'> {
  const date = new Date(headers.get('date') ?? '');
  if (Number.isNaN(date.getTime())) throw new JobError('failed', `${shownUrl(url)} answers no Date header`);
  const total = headers.get('x-total-count') ?? '';
  if (!/^\d{1,15}$/.test(total))
    throw new JobError('failed', `${shownUrl(url)} answers no X-Total-Count header`);
  const more = /;\s*rel="?next"?/i.test(headers.get('link') ?? '');
  return { date, total: Number(total), more };
}
