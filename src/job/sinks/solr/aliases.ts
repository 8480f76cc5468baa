/** Resolves the aliases of the application to collections, and a collection to its generation of the data. */
import { JobError } from '../../job-error.ts';
import type { SolrClient } from './client.ts';
import { type AliasList, describeCollection, listAliases } from './collections.ts';
import type { HeldSets } from '../generations/held-store.ts';
import type { PlannedRecords } from '../generations/planned-records.ts';
import type { Writer } from '../writer.ts';
import type { Generation, State } from './state.ts';
import type { StateStore } from './state-store.ts';

/** The three aliases of an application; the names are those of the predecessor system. */
export type AliasNames = { readonly primary: string; readonly standby: string; readonly loading: string };

export type Solr = {
  readonly client: SolrClient;
  readonly names: AliasNames;
  readonly store: StateStore;
  readonly sets: HeldSets;
  readonly records: PlannedRecords;
  readonly writer: Writer;
  readonly stop: AbortSignal;
  readonly log: (line: string) => void;
};

export function namesOf(app: string): AliasNames {
  return { primary: app, standby: `${app}-standby`, loading: `${app}-sync` };
}

/** The collection that readers see. @throws JobError `notConfigured` */
export async function readPrimary({ client, names }: Solr): Promise<string> {
  return collectionOf(await listAliases(client), names.primary);
}

/**
 * The collection that readers see, and the standby that a sync empties.
 * @throws JobError `notConfigured` if both are the same, or if another alias reads the standby
 */
export async function readPlaces({ client, names }: Solr): Promise<{ primary: string; standby: string }> {
  const listed = await listAliases(client);
  const primary = collectionOf(listed, names.primary);
  const standby = collectionOf(listed, names.standby);
  if (primary === standby) {
    throw aliasError(
      `the aliases ${names.primary} and ${names.standby} both point to ${primary}; point one at another collection`,
    );
  }
  const ours = Object.values(names);
  const reader = Object.keys(listed).find(
    (alias) => !ours.includes(alias) && listed[alias]?.split(',').includes(standby),
  );
  if (reader !== undefined)
    throw aliasError(
      `the alias ${reader} also points to the standby ${standby}; point it at another collection`,
    );
  return { primary, standby };
}

function collectionOf(listed: AliasList, alias: string): string {
  const collection = listed[alias];
  if (collection === undefined)
    throw aliasError(`the alias ${alias} does not exist; create its collection and the alias (CREATEALIAS)`);
  if (collection.includes(','))
    throw aliasError(`the alias ${alias} points to several collections (${collection}); point it at one`);
  return collection;
}

function aliasError(why: string): JobError {
  return new JobError('notConfigured', `Solr: ${why}; nothing was touched`);
}

/** The complete generation that a collection holds; null if unknown, or if the collection was recreated since. */
export async function generationIn(
  { client }: Solr,
  { generations }: State,
  collection: string,
): Promise<Generation | null> {
  const generation = generations[collection];
  if (!generation) return null;
  const { creationTimeMillis } = await describeCollection(client, collection);
  return generation.created === creationTimeMillis ? generation : null;
}
