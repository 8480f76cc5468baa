/** The client of OpenSearch and Elasticsearch: requests below SINK_URL, whose answers are JSON. Uses calls that both have. */
import {
  createJsonClient,
  type JsonClient,
  type JsonServer,
  type ServerPatience,
} from '../../http/json-client.ts';

/** Creating an index, refreshing it and moving aliases wait for the whole cluster. */
export const CLUSTER_DEADLINE_MS = 180_000;

export const OPENSEARCH: Omit<JsonServer, 'url'> = {
  name: 'OpenSearch',
  setting: 'SINK_URL',
  expected: 'an OpenSearch or Elasticsearch',
  rights:
    'read, write, create and delete the indexes <SINK_INDEX>-* and syncrator-state, and manage their aliases',
  faultIn: (answer) => {
    const { error } = (answer ?? {}) as { error?: { type?: unknown; reason?: unknown } | string };
    return typeof error === 'object' ? { words: error.reason, type: error.type } : { words: error };
  },
};

/** @param url may contain a user and a password, which are sent in a header only */
export function createOpenSearchClient(url: string, patience: ServerPatience): JsonClient {
  return createJsonClient({ ...OPENSEARCH, url }, patience);
}
