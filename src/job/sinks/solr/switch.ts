/** What makes a load live, or unmakes it: comparison, switch, drop. Watermarks stay with their collections. */

import { isAfter } from '../../sources/lines.ts';
import type { Comparison, Load } from '../sink.ts';
import { deleteAlias, describeCollection } from './collections.ts';
import { commit, countDocuments, deleteEverything, type Stamp, streamStamps } from './documents.ts';
import { checkLoad, loadingPlace } from './load.ts';
import { startMove } from './move.ts';
import { readPlaces, type Solr } from './places.ts';
import { fenced } from './state.ts';

/** Reads both by id, side by side, a page of each in memory. A record counts as updated by its time. */
export async function compareLoad(solr: Solr): Promise<Comparison> {
  const { primary } = await readPlaces(solr);
  await commit(solr.client, primary);
  const counts = { live: 0, added: 0, updated: 0, removed: 0 };
  const loaded = each(streamStamps(solr.client, loadingPlace(await solr.store.read())));
  const live = each(streamStamps(solr.client, primary));
  let [ours, theirs] = [await loaded(), await live()];
  while (ours || theirs) {
    if (theirs && (!ours || isAfter(ours.id, theirs.id))) {
      counts.live += 1;
      counts.removed += 1;
      theirs = await live();
    } else if (ours && (!theirs || isAfter(theirs.id, ours.id))) {
      counts.added += 1;
      ours = await loaded();
    } else if (ours && theirs) {
      counts.live += 1;
      if (ours.updatedAt !== theirs.updatedAt) counts.updated += 1;
      [ours, theirs] = [await loaded(), await live()];
    }
  }
  return counts;
}

/** The next one at each call; undefined at the end. */
function each(pages: AsyncGenerator<Stamp[]>): () => Promise<Stamp | undefined> {
  let page: Stamp[] = [];
  let at = 0;
  return async () => {
    if (at === page.length) {
      const next = await pages.next();
      if (next.done) return undefined;
      [page, at] = [next.value, 0];
    }
    return page[at++];
  };
}

export async function switchLoad(solr: Solr, load: Load): Promise<void> {
  const { client, store } = solr;
  const { primary, standby } = await readPlaces(solr);
  if (checkLoad(await store.read(), load).collection !== standby) {
    throw fenced('the standby is no longer what was loaded');
  }
  const { creationTimeMillis: created } = await describeCollection(client, standby);
  const before = await describeCollection(client, primary);
  const something = (await countDocuments(client, primary)) > 0;
  await startMove(solr, { kind: 'switch', primary: standby, standby: primary }, (state) => {
    const { watermark } = checkLoad(state, load);
    const kept = state.generations[primary] ?? { created: before.creationTimeMillis, watermark: null };
    // What readers saw until now can be gone back to, whoever loaded it; nothing cannot.
    const earlier = something ? { [primary]: kept } : {};
    return { load: null, generations: { ...earlier, [standby]: { created, watermark } } };
  });
}

export async function dropLoad({ client, names, store }: Solr, load: Load): Promise<void> {
  const { collection } = checkLoad(await store.read(), load);
  await store.change((state) => ({ ...state, load: checkLoad(state, load) && null }));
  await deleteAlias(client, names.loading);
  await deleteEverything(client, collection);
}
