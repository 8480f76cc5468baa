/**
 * Source `ndjson` over HTTP. The protocol, which any server may speak:
 *
 * - `GET <SOURCE_URL>?updated_since=<ISO>&after=<id>&limit=<n>` answers `application/x-ndjson`: one object
 *   `{"id", "updated_at", …fields}` per line, each ended by a newline, ordered by id in byte order.
 *   `updated_since` (inclusive) and `after` (exclusive) may be absent.
 * - `GET <SOURCE_URL>?fields=id&after=<id>&limit=<n>` answers the same with the ids only.
 * - Header `X-Total-Count`: how many records match, whatever `after` and `limit` say.
 *   Header `Link: <…>; rel="next"`: there is more after this page. Header `Date`: the source's own time.
 *
 * A page is complete if it ends with a newline; a listing, if its lines are as many as `X-Total-Count` said.
 */

import { IncompleteListingError, JobError, reasonOf } from '../job-error.ts';
import { shownUrl } from '../mask.ts';
import { waitFor } from '../wait.ts';
import { batchesOf, type Piece } from './batches.ts';
import { isAfter, linesOf, TruncatedError } from './lines.ts';
import { parseId, parseRecord } from './ndjson-line.ts';
import { PageFault, requestPage } from './ndjson-page.ts';
import type { Cursor, Source } from './source.ts';

const PAGE_LINES = 20_000;
const TRIES = 4;
const FIRST_DELAY_MS = 250;

/** @param stop ends reading at once, with its reason */
export function createNdjsonHttpSource({ url, stop }: { url: string; stop: AbortSignal }): Source {
  return {
    shownAs: shownUrl(url),

    async survey(since) {
      const query = { ...sinceQuery(since), fields: 'id', limit: '1' };
      const page = await retried(stop, () => requestPage({ url, query, stop }));
      await page.discard();
      return { now: page.date, total: page.total };
    },

    changedSince(since, from, batchSize) {
      const idOf = (record: { id: string }): string => record.id;
      return batchesOf(
        listing({ url, stop, query: sinceQuery(since), from, parse: parseRecord, idOf, exact: false }),
        batchSize,
      );
    },

    async *ids() {
      const idOf = (id: string): string => id;
      const pieces = listing({
        url,
        stop,
        query: { fields: 'id' },
        from: null,
        parse: parseId,
        idOf,
        exact: true,
      });
      for await (const { items } of pieces) yield items;
    },
  };
}

type Listing<T> = {
  url: string;
  stop: AbortSignal;
  query: Readonly<Record<string, string>>;
  from: Cursor | null;
  parse: (line: string, where: () => string) => T;
  idOf: (item: T) => string;
  /** false: a source that changes while it is read may end between the smallest and the largest total it told. */
  exact: boolean;
};

async function* listing<T>({
  url,
  stop,
  query,
  from,
  parse,
  idOf,
  exact,
}: Listing<T>): AsyncGenerator<Piece<T>> {
  let after = from?.after ?? null;
  let done = from?.done ?? 0;
  const totals = new Set<number>();
  for (let more = true, failures = 0; more; ) {
    const start = after;
    let line = 0;
    try {
      const page = await requestPage({
        url,
        query: { ...query, ...(after === null ? {} : { after }), limit: String(PAGE_LINES) },
        stop,
      });
      totals.add(page.total);
      for await (const lines of linesOf(page.chunks)) {
        const items = lines.map((text) => {
          line += 1;
          const where = (): string => `line ${line} of the page after ${JSON.stringify(start)}`;
          const item = parse(text, where);
          const id = idOf(item);
          if (after !== null && !isAfter(id, after)) throw disorder(where());
          after = id;
          return item;
        });
        done += items.length;
        if (after !== null) yield { items, cursor: { after, done } };
      }
      if (page.more && line === 0)
        throw new JobError('failed', `${shownUrl(url)} promises more and sends nothing`);
      more = page.more;
      failures = 0;
    } catch (error) {
      failures += 1;
      await pauseAfter(error, failures, stop);
    }
  }
  const [least, most] =
    exact && totals.size > 1 ? [Infinity, -1] : [Math.min(...totals), Math.max(...totals)];
  if (done < least || done > most) {
    const told = [...totals].join(', then ');
    throw new IncompleteListingError(`${shownUrl(url)}: ${done} records read, X-Total-Count ${told}`);
  }
}

/** Waits before another try, or throws what no further try can mend. */
async function pauseAfter(error: unknown, failures: number, stop: AbortSignal): Promise<void> {
  if (!(error instanceof PageFault || error instanceof TruncatedError)) throw error;
  if (failures >= TRIES) throw new JobError('failed', `source: ${reasonOf(error)}`, { cause: error });
  await waitFor(FIRST_DELAY_MS * 2 ** (failures - 1), stop);
}

async function retried<T>(stop: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      await pauseAfter(error, failures, stop);
    }
  }
}

function sinceQuery(since: Date | null): Record<string, string> {
  return since ? { updated_since: since.toISOString() } : {};
}

function disorder(where: string): JobError {
  return new JobError('failed', `${where}: ids must come in byte order, each once`);
}
