/** The server of a source over HTTP, and one request to it. */
import { type HttpAnswer, httpCall } from '../http/http-call.ts';
import { HttpFault, statusFault } from '../http/http-fault.ts';
import { retryAfter } from '../http/retry-after.ts';
import { shownUrl } from '../mask.ts';
import { serverAddress } from '../http/server-address.ts';
import type { ClockReader } from './source-clock.ts';

export type SourceServer = {
  readonly url: URL;
  readonly shownAs: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: ClockReader;
  readonly stop: AbortSignal;
  readonly silenceMs?: number;
};

/** A longer answer is aborted; the next request continues after its last record, or repeats it. */
const DEADLINE_MS = 10 * 60_000;

/**
 * Moves the credentials of the URL into a header.
 * @param accept the media types that the source reads
 * @throws JobError `notConfigured`
 */
export function sourceServer(
  text: string,
  accept: string,
  rest: Pick<SourceServer, 'clock' | 'stop' | 'silenceMs'>,
): SourceServer {
  const { url, headers: credentials } = serverAddress(text, 'SOURCE_URL');
  // A cache may hold an outdated listing.
  const headers = { accept, 'cache-control': 'no-cache', ...credentials };
  return { url, shownAs: shownUrl(text), headers, ...rest };
}

/** Returns the answer, of whatever status. @throws HttpFault; the reason of `stop` once that is aborted */
export async function askSource(
  { clock, ...server }: SourceServer,
  query: Readonly<Record<string, string>>,
): Promise<HttpAnswer> {
  const url = new URL(server.url);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const answer = await httpCall({ ...server, url, addressOf: 'SOURCE_URL', deadlineMs: DEADLINE_MS });
  clock.hear(answer.header);
  return answer;
}

/** @throws HttpFault unless the status is 200 */
export function refuseStatus({ status, header }: HttpAnswer, shownAs: string): void {
  if (status === 200) return;
  if (status < 400) {
    const words = `${shownAs} answered ${status}: only 200 marks a complete page`;
    throw new HttpFault('http_error', words, { status });
  }
  throw statusFault(status, shownAs, retryAfter(header('retry-after')));
}
