/** The load of a sync: empties the standby, fills it through the loading alias, checks it, compares it with what is live. */

import { randomUUID } from 'node:crypto';
import { JobError, WrongLoadError } from '../../job-error.ts';
import { isAfter } from '../../sources/lines.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { Comparison, Load, LoadBatch, Turn } from '../sink.ts';
import { createAlias, deleteAlias, describeCollection, listAliases } from './collections.ts';
import { documentOf, newestOfEach } from './document.ts';
import {
  addDocuments,
  commit,
  countDocuments,
  countFound,
  deleteEverything,
  readStamps,
  type Stamp,
  streamStamps,
} from './documents.ts';
import { startMove } from './move.ts';
import { readPlaces, type Solr } from './places.ts';
import { fenced, type State } from './state.ts';

export async function beginLoad(
  solr: Solr,
  { watermark, resume }: { watermark: Date; resume: string | null },
): Promise<Load> {
  const { client, names, store } = solr;
  const { primary, standby } = await readPlaces(solr);
  const { load } = await store.read();
  if (resume !== null && load?.id === resume && load.collection === standby) {
    if ((await listAliases(client))[names.loading] === standby) {
      return { id: resume, cursor: load.cursor, done: load.done, resumed: true };
    }
  }
  const id = randomUUID();
  const begun = { id, collection: standby, watermark: watermark.toISOString(), cursor: null, done: 0 };
  // Before the first document goes: from now on the standby is no generation to go back to.
  await store.change(
    (state) => ({ ...state, load: begun, generations: without(state.generations, standby) }),
    { durable: true },
  );
  await deleteEverything(client, standby);
  await createAlias(client, names.loading, standby);
  const listed = await listAliases(client);
  if (listed[names.loading] !== standby || listed[names.primary] !== primary) {
    throw new JobError(
      'failed',
      `sink: ${names.loading} does not show ${standby}, or ${names.primary} no longer ${primary}`,
    );
  }
  return { id, cursor: null, done: 0, resumed: false };
}

/** @returns loadBatch of one load, which knows the highest id it was given */
export function createLoader(solr: Solr): (load: Load, batch: LoadBatch, turn: Turn) => Promise<number> {
  const { client, names, store } = solr;
  let last: string | null = null;

  return async (load, { records, from, to }, turn) => {
    const newest = newestOfEach(records);
    const inOrder =
      newest === records && (last === null || newest.every(({ id }) => isAfter(id, last ?? '')));
    for (const { id } of newest) if (last === null || isAfter(id, last)) last = id;
    checkLoad(await store.read(), load);
    // A source that lists an id twice: rare, so only such a batch pays for a look at what is there.
    const { documents, added } = inOrder
      ? { documents: newest, added: newest.length }
      : await turn.then(() => newerThanLoaded(solr, newest));
    await addDocuments(client, names.loading, documents.map(documentOf));
    await turn;
    await store.change((state) => {
      const going = checkLoad(state, load);
      if (going.cursor !== from) throw fenced(`another attempt goes on with this load`);
      return { ...state, load: { ...going, cursor: to, done: going.done + added } };
    });
    return added;
  };
}

async function newerThanLoaded(
  { client, names }: Solr,
  records: readonly SourceRecord[],
): Promise<{ documents: readonly SourceRecord[]; added: number }> {
  const ids = records.map(({ id }) => id);
  const there = await readStamps(client, names.loading, ids);
  const documents = records.filter(
    ({ id, updated_at }) => Date.parse(updated_at) >= (there.get(id)?.updatedAt ?? -Infinity),
  );
  return { documents, added: ids.filter((id) => !there.has(id)).length };
}

function checkLoad(state: State, load: Load): NonNullable<State['load']> {
  if (state.load?.id !== load.id) throw fenced('another run has taken the place of this load');
  return state.load;
}

/** Commits, so that what is checked is what searches will find. */
export async function verifyLoad(
  { client, store }: Solr,
  { count, sample }: { count: number; sample: readonly string[] },
): Promise<void> {
  const collection = loadingPlace(await store.read());
  await commit(client, collection);
  const there = await countDocuments(client, collection);
  const ids = new Set(sample);
  const found = await countFound(client, collection, [...ids]);
  if (there !== count || found !== ids.size) {
    throw new WrongLoadError(
      `${there} of ${count} records loaded, ${found} of ${ids.size} sampled ids found`,
    );
  }
}

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

function loadingPlace({ load }: State): string {
  if (!load) throw fenced('another run has ended this load');
  return load.collection;
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

function without<T>(entries: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name !== key));
}
