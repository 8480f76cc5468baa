/** A repository that speaks OAI-PMH as a source. */

import { inOwnOrder, type OaiProvider, startOaiProvider } from '../../support/oai-pmh/provider.ts';
import { dublinCore, type OaiRecord } from '../../support/oai-pmh/repository.ts';
import type { Row } from './model.ts';
import type { RowPlace } from './row-lie.ts';

export type OaiPlace = RowPlace & {
  readonly provider: OaiProvider;
  /** Whether each list ends in a way that proves nothing. */
  unproven(): void;
};

const PAGE_SIZE = 40;
const HOUR_MS = 3_600_000;

export async function oaiPlace(): Promise<OaiPlace> {
  const provider = await startOaiProvider();
  const place: OaiPlace = {
    provider,
    settings: { SOURCE: 'oai-pmh', SOURCE_URL: provider.url },
    // Rounded down to the granularity.
    since: () => Math.floor((Date.now() - HOUR_MS) / 1000) * 1000,
    shape: inSeconds,
    async put(rows, proven) {
      provider.requests.length = 0;
      provider.records = new Map(rows.map((row) => [row.id, oaiRecord(row)]));
      Object.assign(provider, {
        granularity: 'YYYY-MM-DDThh:mm:ssZ',
        deletedRecord: 'persistent',
        earliest: '0001-01-01T00:00:00Z',
        hasSets: true,
        pageSize: PAGE_SIZE,
        tellsSize: true,
        tokenLife: Infinity,
        ignoresFrom: false,
        bend: null,
        lie: null,
      } satisfies Partial<OaiProvider>);
      place.settings = { SOURCE: 'oai-pmh', SOURCE_URL: provider.url };
      if (!proven) place.unproven();
    },
    unproven() {
      provider.tellsSize = false;
      provider.bend = (listed) => {
        if (listed.token === '') listed.token = undefined;
      };
    },
    ready: async () => {},
    settle: async () => {},
    close: async () => await provider[Symbol.asyncDispose](),
  };
  return place;
}

/** Datestamps are seconds, and a name becomes the titles of Dublin Core. */
function inSeconds({ id, updated_at: at, json }: Row): Row {
  const { name, ...rest } = JSON.parse(json) as { name?: string | null };
  const fields = name === undefined || name === null ? rest : { title: [name] };
  return { id, updated_at: at.replace(/\.\d+Z$/, 'Z').replace('Z', '.000Z'), json: JSON.stringify(fields) };
}

export function oaiRecord({ id, updated_at: at, json }: Row): OaiRecord {
  const { title = [] } = JSON.parse(json) as { title?: string[] };
  const fields = title.map((text) => `<dc:title>${text}</dc:title>`).join('');
  return { id, stamp: at.replace('.000Z', 'Z'), formats: { oai_dc: dublinCore(fields) } };
}

/** The records of the pages of a list that is read without `from`, in the order of the repository. */
export function pagesOf(rows: readonly Row[], pageSize = PAGE_SIZE): Row[][] {
  const sorted = rows.toSorted(inOwnOrder);
  return Array.from({ length: Math.ceil(sorted.length / pageSize) }, (_, page) =>
    sorted.slice(page * pageSize, (page + 1) * pageSize),
  );
}
