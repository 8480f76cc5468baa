/** A real SolrCloud of one node for one test file, with the calls that tests make. */
import path from 'node:path';
import { startJavaServer } from '../java-server.ts';
import { solrProgram } from './solr-program.ts';

const CONFIGSET = path.join(import.meta.dirname, 'configset');

export type SolrDocument = { readonly id: string } & Readonly<Record<string, unknown>>;

export type Solr = {
  /** …/solr/ */
  readonly url: string;
  /**
   * @returns the answer's JSON
   * @throws Error with Solr's message if Solr refuses
   */
  call(path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Creates a collection of the configset `catalogue`. */
  createCollection(name: string, shards?: number): Promise<void>;
  alias(name: string, collection: string): Promise<void>;
  aliases(): Promise<Record<string, string>>;
  /** All documents that a search finds, by id; at most 1000. */
  documents(collection: string): Promise<SolrDocument[]>;
  stop(): Promise<void>;
};

export async function startSolr(): Promise<Solr> {
  const classPath = await solrProgram((line) => console.log(`[test] ${line}`));
  const server = { name: 'Solr', classPath, main: 'SolrForTests', arguments: [CONFIGSET] };
  const { url, stop } = await startJavaServer(server);
  return { ...solrAt(url), stop };
}

function solrAt(url: string): Omit<Solr, 'stop'> {
  const call = async (where: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}${where}${where.includes('?') ? '&' : '?'}wt=json`, {
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${where} answered ${answer.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const admin = (query: Record<string, string>) =>
    call(`admin/collections?${new URLSearchParams(query).toString()}`);
  return {
    url,
    call,
    async createCollection(name, shards = 1) {
      const like = { 'collection.configName': 'catalogue', numShards: String(shards) };
      await admin({ action: 'CREATE', name, ...like, waitForFinalState: 'true' });
    },
    async alias(name, collection) {
      await admin({ action: 'CREATEALIAS', name, collections: collection });
    },
    async aliases() {
      return ((await admin({ action: 'LISTALIASES' }))['aliases'] ?? {}) as Record<string, string>;
    },
    async documents(collection) {
      const found = await call(`${collection}/select`, { query: '*:*', limit: 1000, sort: 'id asc' });
      return (found['response'] as { docs: SolrDocument[] }).docs;
    },
  };
}
