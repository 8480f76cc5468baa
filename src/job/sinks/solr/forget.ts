/**
 * Erases the earlier values of records for good: the copies of removed ones, their documents in the standby, the kept
 * plan and a load that has not ended. A rollback then leaves these records as they are. Live records stay.
 */
import { withoutSourceStates } from '../generations/next-generation.ts';
import { removeFound } from '../generations/removed-copies.ts';
import { type Forgotten, NOTHING_APPLIED } from '../sink.ts';
import { readPlaces, type Solr } from './aliases.ts';
import { commit, deleteDocuments, readStamps } from './documents.ts';
import { dropLoad } from './load.ts';
import { createCopyStore } from './removed-copies.ts';
import { withStep } from './steps.ts';
import { addOrReject } from './write-records.ts';

/** Safe to repeat. */
export async function forgetRecords(solr: Solr, ids: readonly string[]): Promise<Forgotten> {
  const { client, store, sets, writer } = solr;
  const { load } = await store.change((state) => ({ ...state, planned: null }));
  if (load) await dropLoad(solr, load);
  await sets.deleteDropped();
  const { primary, standby } = await readPlaces(solr);
  const live = [...(await readStamps(client, primary, ids)).keys()];
  const erased = await removeFound(createCopyStore(solr, primary), { ids });
  const kept = await forgetIn(solr, { primary, standby, ids });
  await store.change(
    (state) => ({
      ...state,
      generations: withoutSourceStates(state.generations),
      ...withStep(state, writer, NOTHING_APPLIED),
    }),
    { durable: true },
  );
  return { values: erased + kept, live: live.toSorted() };
}

/** The earlier document of a live record becomes the live one. @returns the number of erased documents */
async function forgetIn(
  solr: Solr,
  { primary, standby, ids }: { primary: string; standby: string; ids: readonly string[] },
): Promise<number> {
  const { client, store } = solr;
  const there = [...(await readStamps(client, standby, ids)).keys()];
  if (there.length === 0) return 0;
  const { whole } = await createCopyStore(solr, primary).readLive(there);
  await store.read();
  const refused = await addOrReject(
    client,
    standby,
    whole.map(({ document }) => document as { id: string }),
  );
  const bad = new Set(refused.map(({ id }) => id));
  const stay = new Set(whole.map(({ id }) => id).filter((id) => !bad.has(id)));
  await deleteDocuments(
    client,
    standby,
    there.filter((id) => !stay.has(id)),
  );
  await commit(client, standby);
  return there.length;
}
