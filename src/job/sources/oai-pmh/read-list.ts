/** Reads one list page by page, from the first request to the page without a further token. */
import { IncompleteListingError } from '../../job-error.ts';
import { type Patience, retryThroughOutage } from '../../http/outage.ts';
import type { EntryStore } from '../entry-store.ts';
import type { ListEnd, Sizes } from './list-evidence.ts';
import { areAll, oaiFailure, type OaiError } from './oai-error.ts';
import type { SourceServer } from '../source-server.ts';
import { ask } from './oai-request.ts';
import { headerLine, headerOf, type OaiHeader, recordLine } from './record-line.ts';
import { attributeOf, childOf, type XmlElement } from './xml-element.ts';

/** So many pages in a row without a new entry mean that the list goes in circles. */
const MOST_STALE_PAGES = 10;

export type ListReading = {
  readonly provider: SourceServer;
  readonly patience: Patience;
  readonly store: EntryStore;
  readonly verb: 'ListRecords' | 'ListIdentifiers';
  /** Arguments of the first request. */
  readonly query: Readonly<Record<string, string>>;
  /** Tells the entries of this reading from those of others. */
  readonly pass: number;
  /** Called with the number of new entries. */
  readonly onPage: (fresh: number) => void;
  readonly onHeader: (header: OaiHeader) => void;
};

type Page = {
  entries: number;
  fresh: number;
  /** undefined: the page has no resumptionToken; empty: the list ends. */
  token: string | undefined;
  size: number | null;
  errors: readonly OaiError[];
};

/** @returns `expired` if the source no longer knows its token @throws JobError, IncompleteListingError */
export async function readList(of: ListReading): Promise<ListEnd | 'expired'> {
  const { provider, patience, query, store, onPage } = of;
  const tokens = new Set<string>();
  let sizes: Sizes | null = null;
  let [entries, emptyPages, stale] = [0, 0, 0];
  let next = query;
  for (let pages = 1; ; pages += 1) {
    const page = await retryThroughOutage(patience, () => readPage(of, next, pages));
    const { errors, token, fresh } = page;
    if (pages > 1 && areAll(errors, 'badResumptionToken')) return 'expired';
    const isNothing = areAll(errors, 'noRecordsMatch');
    if (errors.length > 0 && !isNothing) throw oaiFailure(errors, provider.shownAs);
    entries += fresh;
    sizes = widened(sizes, page.size);
    if (isNothing) return { entries, pages, emptyPages, sizes, end: pages === 1 ? 'whole' : 'nothing' };
    if (page.entries === 0) emptyPages += 1;
    onPage(fresh);
    if (token === undefined || token === '') {
      const end = token === '' ? 'marked' : pages === 1 ? 'whole' : 'unmarked';
      return { entries, pages, emptyPages, sizes, end };
    }
    stale = fresh === 0 ? stale + 1 : 0;
    if (tokens.has(token) || stale === MOST_STALE_PAGES) {
      store.forget(of.pass);
      throw inCircles(provider.shownAs, pages, tokens.has(token));
    }
    tokens.add(token);
    next = { resumptionToken: token };
  }
}

async function readPage(
  { provider, store, verb, pass, onHeader }: ListReading,
  query: Readonly<Record<string, string>>,
  number: number,
): Promise<Page> {
  const page: Page = { entries: 0, fresh: 0, token: undefined, size: null, errors: [] };
  await store.together(async () => {
    page.errors = await ask(provider, verb, query, (element) => {
      if (element.name === 'resumptionToken') {
        page.token = element.text.trim();
        page.size = sizeOf(element);
        return;
      }
      if (element.name !== 'record' && element.name !== 'header') return;
      const read = headerOf(element.name === 'record' ? childOf(element, 'header') : element);
      onHeader(read);
      page.entries += 1;
      const entry = { id: read.id, stamp: read.datestamp, line: lineOf(element, read), place: number };
      if (store.put(entry, pass)) page.fresh += 1;
    });
    return page.errors.length > 0 ? null : page;
  });
  return page.errors.length > 0 ? { ...page, entries: 0, fresh: 0 } : page;
}

function lineOf(element: XmlElement, header: OaiHeader) {
  if (header.isDeleted) return null;
  return element.name === 'record' ? recordLine(element, header) : headerLine(element, header);
}

/** The two numbers alone, since a list may have more pages than an array of arguments may have items. */
function widened(sizes: Sizes | null, size: number | null): Sizes | null {
  if (size === null) return sizes;
  return { least: Math.min(sizes?.least ?? size, size), most: Math.max(sizes?.most ?? size, size) };
}

function sizeOf(token: XmlElement): number | null {
  const text = attributeOf(token, 'completeListSize')?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function inCircles(shownAs: string, pages: number, isRepeated: boolean): IncompleteListingError {
  const why = isRepeated
    ? 'gives a resumptionToken a second time'
    : `has sent ${MOST_STALE_PAGES} pages without a new record`;
  return new IncompleteListingError(
    `${shownAs} ${why} (page ${pages}), so its list goes in circles; report this to the repository`,
  );
}
