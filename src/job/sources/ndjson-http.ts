/**
 * Source `ndjson` over HTTP. The protocol that a source must implement:
 *
 * - `GET <SOURCE_URL>?updated_since=<ISO>&after=<id>&limit=<n>` answers `application/x-ndjson`: one object
 *   `{"id", "updated_at", …fields}` per line, each ended by a newline, ordered by id in byte order.
 *   `updated_since` (inclusive) and `after` (exclusive) may be absent.
 * - `GET <SOURCE_URL>?fields=id&after=<id>&limit=<n>` answers the same with the ids only.
 * - Header `X-Total-Count`: the number of matching records, regardless of `after` and `limit`. Header `Link: <…>;
 *   rel="next"`: another page follows. Headers `Date` and `Age`: the source's clock.
 *
 * A page is complete if its status is 200, its body ends as its framing says, and its last line ends with a
 * newline. A listing is complete if the number of its lines equals `X-Total-Count`.
 */
import { HttpFault } from '../http/http-fault.ts';
import { createOutage, PATIENCE_MS, type Patience, retryThroughOutage } from '../http/outage.ts';
import { createIntake, IDS, type ListingKind, RECORDS } from './intake.ts';
import { createListingTotals } from './listing-totals.ts';
import { requestPage } from './ndjson-page.ts';
import { type SourceServer, sourceServer } from './source-server.ts';
import type { Cursor, Evidence, Source } from './source.ts';
import { createClockReader } from './source-clock.ts';
import { stillThere } from './still-there.ts';

const PAGE_LINES = 20_000;

export type HttpSourceOptions = {
  readonly url: string;
  /** Aborts reading at once; its reason is thrown. */
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  readonly patienceMs?: number;
  readonly silenceMs?: number;
};

export function createNdjsonHttpSource(options: HttpSourceOptions): Source {
  const { url, stop, onWait = () => {}, patienceMs = PATIENCE_MS } = options;
  const clock = createClockReader();
  const silence = options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs };
  const pages = sourceServer(url, 'application/x-ndjson', { clock, stop, ...silence });
  const patience = { patienceMs, onWait, stop };
  let evidence: Evidence = { complete: false, words: 'no listing has ended' };

  function listing<T, B>(
    kind: ListingKind<T, B>,
    query: Readonly<Record<string, string>>,
    from: Cursor | null,
    batchSize: number,
  ): AsyncGenerator<B> {
    evidence = { complete: false, words: 'the listing has not ended' };
    const onEnd = (seen: Evidence): void => void (evidence = seen);
    return readListing({ pages, patience, kind, query, from, batchSize, onEnd });
  }

  return {
    shownAs: pages.shownAs,
    lists: 'changes',
    async survey(since) {
      const query = { ...sinceQuery(since), fields: 'id', limit: '1' };
      const page = await retryThroughOutage(patience, () => requestPage(pages, query));
      page.discard();
      return { total: page.total };
    },
    changedSince: (since, from, batchSize) => listing(RECORDS, sinceQuery(since), from, batchSize),
    ids: (batchSize) => listing(IDS, { fields: 'id' }, null, batchSize),
    evidence: () => Promise.resolve(evidence),
    stillThere: (ids) => stillThere(ids, pages, patience),
    clock: clock.read,
  };
}

async function* readListing<T, B>({
  pages,
  patience,
  kind,
  query,
  from,
  batchSize,
  onEnd,
}: {
  pages: SourceServer;
  patience: Patience;
  kind: ListingKind<T, B>;
  query: Readonly<Record<string, string>>;
  from: Cursor | null;
  batchSize: number;
  onEnd: (evidence: Evidence) => void;
}): AsyncGenerator<B> {
  const intake = createIntake(kind, { from, batchSize });
  const totals = createListingTotals(pages.shownAs);
  const outage = createOutage(patience);
  let framed = true;
  for (let more = true; more; ) {
    // Lines without a readable id at the end of a page stand after its last id, so the next page repeats them.
    intake.again();
    const start = intake.after();
    const counted = intake.count();
    let line = 0;
    const where = (): string =>
      `line ${line} of the ${start === null ? 'first page' : `page after ${JSON.stringify(start)}`}`;
    try {
      const page = await requestPage(pages, { ...query, ...afterQuery(start), limit: String(PAGE_LINES) });
      totals.tell(page.total);
      framed &&= page.framed;
      for await (const lines of page.lines) {
        for (const text of lines) {
          line += 1;
          intake.take(text, where);
          const batch = intake.give('full');
          if (batch !== null) yield batch;
        }
        totals.refuseExcess(intake.count());
      }
      if (page.more && intake.after() === start) throw emptyPromise(pages.shownAs);
      more = page.more;
      outage.over();
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      // New records arrived, so this failure begins a new outage.
      if (intake.count() > counted) outage.over();
      await outage.failed(error);
    }
  }
  const rest = intake.give('rest');
  if (rest !== null) yield rest;
  totals.check(intake.count());
  onEnd(evidenceOf(intake.hole(), framed, `${intake.count()} records read, ${totals.words()}`));
}

function evidenceOf(hole: string | null, framed: boolean, counts: string): Evidence {
  if (hole !== null) return { complete: false, words: `${counts}, but the id of ${hole} cannot be read` };
  if (!framed) {
    const fix = 'the source must send Content-Length or use chunked encoding';
    return { complete: false, words: `${counts}, but a page ended with its connection: ${fix}` };
  }
  return { complete: true, words: counts };
}

function emptyPromise(shownAs: string): HttpFault {
  return new HttpFault('bad_answer', `${shownAs} announces a next page and sends no record`);
}

function sinceQuery(since: Date | null): Record<string, string> {
  return since ? { updated_since: since.toISOString() } : {};
}

function afterQuery(after: string | null): Record<string, string> {
  return after === null ? {} : { after };
}
