/** Which collection each alias of the application shows, and which generation of the data a collection holds. */

import { JobError } from '../../job-error.ts';
import type { SolrClient } from './client.ts';
import { type AliasList, describeCollection, listAliases } from './collections.ts';
import type { Generation, State, StateStore } from './state.ts';

/** The three aliases of an application, as its predecessors named them. */
export type Names = { readonly primary: string; readonly standby: string; readonly loading: string };

export type Solr = { readonly client: SolrClient; readonly names: Names; readonly store: StateStore };

export function namesOf(app: string): Names {
  return { primary: app, standby: `${app}-standby`, loading: `${app}-sync` };
}

/** The collection that readers see. @throws JobError `notConfigured` */
export async function readPrimary({ client, names }: Solr): Promise<string> {
  return collectionOf(await listAliases(client), names.primary);
}

/**
 * What readers see and what may be emptied.
 * @throws JobError `notConfigured` where they are the same, or somebody else reads what would be emptied
 */
export async function readPlaces({ client, names }: Solr): Promise<{ primary: string; standby: string }> {
  const listed = await listAliases(client);
  const primary = collectionOf(listed, names.primary);
  const standby = collectionOf(listed, names.standby);
  if (primary === standby) {
    throw refusal(
      `the aliases ${names.primary} and ${names.standby} both show ${primary}; point one at another collection`,
    );
  }
  const ours = Object.values(names);
  const reader = Object.keys(listed).find(
    (alias) => !ours.includes(alias) && listed[alias]?.split(',').includes(standby),
  );
  if (reader !== undefined) throw refusal(`${standby}, the standby, is also what the alias ${reader} shows`);
  return { primary, standby };
}

function collectionOf(listed: AliasList, alias: string): string {
  const collection = listed[alias];
  if (collection === undefined) {
    throw refusal(`there is no alias ${alias}; make its collection, and CREATEALIAS it`);
  }
  if (collection.includes(',')) throw refusal(`the alias ${alias} shows several collections (${collection})`);
  return collection;
}

function refusal(why: string): JobError {
  return new JobError('notConfigured', `Solr: ${why}; nothing was touched`);
}

/** What a collection is known to hold completely; null where nothing is, or it was made anew since. */
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
