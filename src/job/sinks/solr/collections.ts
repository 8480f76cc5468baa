/** Calls of SolrCloud's Collections API for aliases and collections. */
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import { ServerRefusal } from '../../http/json-client.ts';
import { type SolrClient } from './client.ts';

const DEADLINE_MS = 180_000;
const aliasList = z.object({ aliases: z.record(z.string(), z.string()) });
const done = z.object({ responseHeader: z.object({ status: z.literal(0) }) });
const configsets = z.object({ configSets: z.array(z.string()) });
const clusterStatus = z.object({
  cluster: z.object({
    collections: z.record(
      z.string(),
      z.object({
        configName: z.string(),
        replicationFactor: z.coerce.number().int().positive().catch(1),
        creationTimeMillis: z.coerce.number().nullable().default(null),
      }),
    ),
  }),
});

/** Maps an alias to its collections, comma-separated as in Solr. */
export type AliasList = Readonly<Record<string, string>>;

export async function listAliases(client: SolrClient): Promise<AliasList> {
  const query = { action: 'LISTALIASES' };
  return (await client({ path: 'admin/collections', query, schema: aliasList })).aliases;
}

/** Creates or moves the alias, atomically for readers. */
export async function createAlias(client: SolrClient, name: string, collection: string): Promise<void> {
  await change(client, { action: 'CREATEALIAS', name, collections: collection });
}

/** Safe to repeat: Solr accepts the deletion of a missing alias. */
export async function deleteAlias(client: SolrClient, name: string): Promise<void> {
  await change(client, { action: 'DELETEALIAS', name });
}

export type Collection = {
  readonly configName: string;
  readonly replicationFactor: number;
  /** Distinguishes a collection from a later one with the same name; null if Solr does not report it. */
  readonly creationTimeMillis: number | null;
};

export async function describeCollection(client: SolrClient, name: string): Promise<Collection> {
  const query = { action: 'CLUSTERSTATUS', collection: name };
  const { cluster } = await client({ path: 'admin/collections', query, schema: clusterStatus });
  const found = cluster.collections[name];
  if (!found) throw new JobError('failed', `sink: Solr has no collection ${name}`);
  return found;
}

/** Creates a small collection with one shard, replicated like `like`. Safe to repeat and to run concurrently. */
export async function createCollection(client: SolrClient, name: string, like: Collection): Promise<void> {
  const query = { action: 'LIST' };
  const { configSets } = await client({ path: 'admin/configs', query, schema: configsets });
  await change(client, {
    action: 'CREATE',
    name,
    numShards: '1',
    replicationFactor: String(like.replicationFactor),
    'collection.configName': configSets.includes('_default') ? '_default' : like.configName,
    waitForFinalState: 'true',
  }).catch((error: unknown) => {
    if (!(error instanceof ServerRefusal) || !error.message.includes('already exists')) throw error;
  });
}

async function change(client: SolrClient, query: Readonly<Record<string, string>>): Promise<void> {
  await client({ path: 'admin/collections', query, schema: done, deadlineMs: DEADLINE_MS });
}
