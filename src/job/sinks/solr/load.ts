/** The load of a sync: empties the standby, fills it through the loading alias, checks it. */

import { randomUUID } from 'node:crypto';
import { JobError, WrongLoadError } from '../../job-error.ts';
import { isAfter } from '../../sources/lines.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { Load, LoadBatch, Turn } from '../sink.ts';
import { createAlias, listAliases } from './collections.ts';
import { documentOf, newestOfEach } from './document.ts';
import {
  addDocuments,
  commit,
  countDocuments,
  countFound,
  deleteEverything,
  readStamps,
} from './documents.ts';
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

/** The load in the state, if it is this one. @throws JobError `fenced` */
export function checkLoad(state: State, load: Load): NonNullable<State['load']> {
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

/** Where a load is going on. @throws JobError `fenced` */
export function loadingPlace({ load }: State): string {
  if (!load) throw fenced('another run has ended this load');
  return load.collection;
}

function without<T>(entries: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name !== key));
}
