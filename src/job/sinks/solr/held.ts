/** The live collection as a place where records wait for an answer. */
import type { LiveRecord } from '../generations/held-records.ts';
import type { RestorePlace } from '../generations/restore.ts';
import type { Generation } from '../generations/state-parts.ts';
import { generationIn, readPrimary, type Solr } from './aliases.ts';
import { type Document, SOLRS_OWN, UPDATED_AT } from './document.ts';
import { commit, countDocuments, deleteDocuments, readDocuments, readStamps } from './documents.ts';
import { createCopyStore } from './removed-copies.ts';
import type { State } from './state.ts';
import { withStep } from './steps.ts';

/** @returns null before the first sync */
export async function findLivePlace(solr: Solr): Promise<RestorePlace<State> | null> {
  const collection = await readPrimary(solr);
  const generation = await generationIn(solr, await solr.store.look(), collection);
  return generation && livePlace(solr, { collection, generation });
}

export function livePlace(
  solr: Solr,
  of: { collection: string; generation: Pick<Generation, 'held' | 'watermark'> | null },
): RestorePlace<State> {
  const { client, names, store, sets, writer } = solr;
  const { collection, generation } = of;
  return {
    alias: names.primary,
    name: collection,
    store,
    sets,
    held: generation?.held ?? null,
    watermark: generation?.watermark ?? null,
    sink: 'Solr',
    copies: createCopyStore(solr, collection),
    writer,
    log: solr.log,
    stampsOf: (ids) => readStamps(client, collection, ids),
    count: () => countDocuments(client, collection),
    readRecords: async (ids) => (await readDocuments(client, collection, ids)).map(recordIn),
    remove: (ids) => deleteDocuments(client, collection, ids),
    makeVisible: () => commit(client, collection),
    deleteDropped: () => sets.deleteDropped(),
    withStep: (state, applied) => ({ ...state, ...withStep(state, writer, applied) }),
  };
}

/** A document without what the sink adds to its record. */
export function recordIn({ id, [UPDATED_AT]: at, ...fields }: Document): LiveRecord {
  return {
    id,
    updatedAt: typeof at === 'string' ? Date.parse(at) : null,
    json: JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([name]) => !SOLRS_OWN.has(name)))),
  };
}
