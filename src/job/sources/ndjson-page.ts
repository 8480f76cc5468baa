/** Requests one page of source `ndjson` and checks its status, headers and format. */
import type { HttpAnswer } from '../http/http-call.ts';
import { HttpFault } from '../http/http-fault.ts';
import { foreignForm, WEB_PAGE, withForm } from './foreign-form.ts';
import { type Line, linesOf, TruncatedError } from './lines.ts';
import { askSource, refuseStatus, type SourceServer } from './source-server.ts';

export type Page = {
  readonly total: number;
  readonly more: boolean;
  /** false: the body ends when the connection closes, so a truncation would go unnoticed. */
  readonly framed: boolean;
  /** @throws HttpFault for a truncated page or another format */
  readonly lines: AsyncIterable<readonly Line[]>;
  readonly discard: () => void;
};

/** @throws HttpFault; the reason of `stop` once that is aborted */
export async function requestPage(
  source: SourceServer,
  query: Readonly<Record<string, string>>,
): Promise<Page> {
  const { shownAs } = source;
  const answer = await askSource(source, query);
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
