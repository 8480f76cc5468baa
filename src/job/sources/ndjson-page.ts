/** Requests one page of source `ndjson` and checks its status, headers and format. */
import { type HttpAnswer, httpCall } from '../http/http-call.ts';
import { HttpFault, statusFault } from '../http/http-fault.ts';
import { shownUrl } from '../mask.ts';
import { retryAfter } from '../http/retry-after.ts';
import { foreignForm, WEB_PAGE, withForm } from './foreign-form.ts';
import { type Line, linesOf, TruncatedError } from './lines.ts';
import { sourceAddress } from './source-address.ts';
import type { ClockReader } from './source-clock.ts';

export type Page = {
  readonly total: number;
  readonly more: boolean;
  /** false: the body ends when the connection closes, so a truncation would go unnoticed. */
  readonly framed: boolean;
  /** @throws HttpFault for a truncated page or another format */
  readonly lines: AsyncIterable<readonly Line[]>;
  readonly discard: () => void;
};

/** The source of pages: address, headers, clock. */
export type PageSource = {
  readonly url: URL;
  readonly shownAs: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: ClockReader;
  readonly stop: AbortSignal;
  readonly silenceMs?: number;
};

/** A longer page is aborted; the next request continues after its last record. */
const PAGE_DEADLINE_MS = 10 * 60_000;

/** Moves the credentials of the URL into a header. @throws JobError `notConfigured` */
export function pageSource(text: string, rest: Pick<PageSource, 'clock' | 'stop' | 'silenceMs'>): PageSource {
  const { url, headers: credentials } = sourceAddress(text);
  const headers = {
    accept: 'application/x-ndjson',
    // A cache may hold an outdated listing.
    'cache-control': 'no-cache',
    ...credentials,
  };
  return { url, shownAs: shownUrl(text), headers, ...rest };
}

/** @throws HttpFault; the reason of `stop` once that is aborted */
export async function requestPage(
  source: PageSource,
  query: Readonly<Record<string, string>>,
): Promise<Page> {
  const { shownAs, headers, stop, silenceMs } = source;
  const url = new URL(source.url);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const answer = await httpCall({
    url,
    shownAs,
    headers,
    stop,
    addressOf: 'SOURCE_URL',
    deadlineMs: PAGE_DEADLINE_MS,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  source.clock.hear(answer.header);
  try {
    refuseStatus(answer, shownAs);
    const refuse = (form: string): HttpFault => new HttpFault('bad_answer', `${shownAs} answers ${form}`);
    if (/^text\/html\b/i.test(answer.header('content-type') ?? '')) throw refuse(WEB_PAGE);
    const total = answer.header('x-total-count') ?? '';
    if (!/^\d{1,15}$/.test(total)) throw refuse(await formWithoutTotal(answer));
    return {
      total: Number(total),
      more: /;\s*rel="?next"?/i.test(answer.header('link') ?? ''),
      framed: answer.framed,
      lines: linesOfPage(withForm(answer.chunks, refuse), shownAs),
      discard: answer.discard,
    };
  } catch (error) {
    answer.discard();
    throw error;
  }
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

async function* linesOfPage(
  chunks: AsyncIterable<Uint8Array>,
  shownAs: string,
): AsyncGenerator<readonly Line[]> {
  try {
    yield* linesOf(chunks, { lastNeedsEnd: true });
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    throw new HttpFault('bad_answer', `${shownAs}: ${error.message}`, { cause: error, mayPass: true });
  }
}

/** Describes an answer without X-Total-Count. */
async function formWithoutTotal({ chunks, header }: HttpAnswer): Promise<string> {
  for await (const first of chunks) {
    const form = foreignForm(first);
    if (form !== null) return form;
    break;
  }
  const type = header('content-type')?.split(';')[0] ?? 'records';
  return `${type} without an X-Total-Count header, which the NDJSON protocol requires`;
}
