/** Changes to what is live: upserts of a delta, removals of a delete, and the way back to the generation before. */

import { JobError } from '../../job-error.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { Removals, Turn } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { documentOf, newestOfEach } from './document.ts';
import {
  addDocuments,
  commit,
  countDocuments,
  deleteDocuments,
  readStamps,
  streamStamps,
} from './documents.ts';
import { startMove } from './move.ts';
import { generationIn, readPlaces, type Solr } from './places.ts';

/** The collection this run changes: the live one as it was at the first look, whose watermark the run goes by. */
export type Live = () => Promise<string>;

export async function liveWatermark(solr: Solr, live: Live): Promise<Date | null> {
  const generation = await generationIn(solr, await solr.store.read(), await live());
  return generation?.watermark ? new Date(generation.watermark) : null;
}

/** Writes every record, since two may differ and be of one time; counts as updated what carries another time. */
export async function upsert(
  { client, store }: Solr,
  live: Live,
  records: readonly SourceRecord[],
  { watermark, turn }: { watermark: Date | null; turn: Turn },
): Promise<{ added: number; updated: number }> {
  const collection = await live();
  const newest = newestOfEach(records);
  await store.read();
  const there = await readStamps(
    client,
    collection,
    newest.map(({ id }) => id),
  );
  await addDocuments(client, collection, newest.map(documentOf));
  await turn;
  if (watermark) {
    await commit(client, collection);
    await store.change(
      (state) => {
        const generation = state.generations[collection];
        if (!generation) throw new JobError('failed', `sink: ${collection} is no longer complete`);
        const moved = { ...generation, watermark: watermark.toISOString() };
        return { ...state, generations: { ...state.generations, [collection]: moved } };
      },
      { durable: true },
    );
  }
  const added = newest.filter(({ id }) => !there.has(id)).length;
  const same = newest.filter(({ id, updated_at }) => there.get(id)?.updatedAt === Date.parse(updated_at));
  return { added, updated: newest.length - added - same.length };
}

/** Keeps the source's ids in memory, and of Solr's a page at a time. */
export async function findRemovals(
  solr: Solr,
  live: Live,
  sourceIds: AsyncIterable<readonly string[]>,
): Promise<Removals> {
  const { client, names } = solr;
  const collection = await live();
  if ((await generationIn(solr, await solr.store.read(), collection)) === null) {
    throw new JobError(
      'failed',
      `${collection}, which ${names.primary} shows, was never synced; run sync first`,
    );
  }
  const source = new Set<string>();
  for await (const ids of sourceIds) for (const id of ids) source.add(id);
  // An attempt that died may have left deletions that no search sees yet.
  await commit(client, collection);
  const gone: string[] = [];
  let count = 0;
  for await (const page of streamStamps(client, collection)) {
    count += page.length;
    for (const { id } of page) if (!source.has(id)) gone.push(id);
  }
  return { live: count, source: source.size, ids: gone };
}

export async function remove(
  { client, store }: Solr,
  live: Live,
  ids: readonly string[],
  { last, turn }: { last: boolean; turn: Turn },
): Promise<number> {
  const collection = await live();
  await store.read();
  const there = await readStamps(client, collection, ids);
  await deleteDocuments(client, collection, ids);
  await turn;
  if (last) await commit(client, collection);
  return there.size;
}

/** @param jobId nothing is done where this very job has gone back already */
export async function rollback(solr: Solr, jobId: number | null): Promise<void> {
  const { client, names, store } = solr;
  const state = await store.read();
  if (jobId !== null && state.rolled_back_by === jobId) return;
  const { primary, standby } = await readPlaces(solr);
  const earlier = await generationIn(solr, state, standby);
  if (!earlier || (await countDocuments(client, standby)) === 0) {
    throw new JobError('nothingToRollBack', `${names.primary} has no earlier data to go back to`);
  }
  const { creationTimeMillis: created } = await describeCollection(client, primary);
  await startMove(solr, { kind: 'rollback', primary: standby, standby: primary }, ({ generations }) => ({
    generations: { [primary]: { created, watermark: null }, ...generations },
    rolled_back_by: jobId,
  }));
}
