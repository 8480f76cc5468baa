/** The Solr client: requests below SOLR_URL, whose answers are JSON. */
import {
  createJsonClient,
  type JsonClient,
  type JsonServer,
  type ServerPatience,
} from '../../http/json-client.ts';

export type SolrClient = JsonClient;

/** A commit waits until the new searcher is open. */
export const COMMIT_DEADLINE_MS = 280_000;

/** @param url may contain a user and a password, which are sent in a header only */
export function createSolrClient(url: string, patience: ServerPatience): SolrClient {
  return createJsonClient({ ...SOLR, url }, patience);
}

const SOLR: Omit<JsonServer, 'url'> = {
  name: 'Solr',
  setting: 'SOLR_URL',
  expected: 'a SolrCloud',
  rights: 'read and update the collections and change the aliases',
  query: { wt: 'json' },
  faultIn: (answer) => ({ words: (answer as { error?: { msg?: unknown } } | null | undefined)?.error?.msg }),
};
