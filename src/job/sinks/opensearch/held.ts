/** The live index as a place where records wait for an answer. */
import { JobError } from '../../job-error.ts';
import type { LiveRecord } from '../generations/held-records.ts';
import type { RestorePlace } from '../generations/restore.ts';
import { withStep } from '../generations/steps.ts';
import { type Live, type OpenSearch, readLive } from './alias.ts';
import { removalOf, sendBulk } from './bulk.ts';
import { countDocuments, type Found, readDocuments, readStamps, refresh } from './documents.ts';
import { deleteObsolete } from './obsolete.ts';
import { createCopyStore } from './removed-copies.ts';
import type { State } from './state.ts';

/** What a document has beside its record. */
const ADDED: ReadonlySet<string> = new Set(['id', 'updated_at']);

/** @returns null before the first switch */
export async function findLivePlace(sink: OpenSearch): Promise<RestorePlace<State> | null> {
  const live = await readLive(sink, await sink.store.look());
  return live && livePlace(sink, live);
}

export function livePlace(
  sink: OpenSearch,
  { index: { name }, generation: { held, watermark } }: Live,
): RestorePlace<State> {
  const { client, alias, store, sets, writer } = sink;
  return {
    alias,
    name,
    store,
    sets,
    held,
    watermark,
    sink: 'OpenSearch',
    copies: createCopyStore(sink, name),
    writer,
    log: sink.log,
    stampsOf: (ids) => readStamps(client, name, ids),
    count: () => countDocuments(client, name),
    readRecords: async (ids) => (await readDocuments(client, name, ids)).map(recordIn),
    async remove(ids) {
      const { epoch } = await store.read();
      const [refused] = await sendBulk(sink, { index: name, epoch }, ids.map(removalOf));
      if (refused) throw new JobError('failed', `sink: ${name} keeps a document: ${refused.why}`);
    },
    makeVisible: () => refresh(client, name),
    deleteDropped: () => deleteObsolete(sink),
    withStep: (state, applied) => ({ ...state, steps: withStep(state.steps, writer, applied) }),
  };
}

/** A document without what the sink adds to its record. */
export function recordIn({ id, source }: Found): LiveRecord {
  const { updated_at: at } = source;
  const record = Object.entries(source).filter(([name]) => !ADDED.has(name));
  return {
    id,
    updatedAt: typeof at === 'string' ? Date.parse(at) : null,
    json: JSON.stringify(Object.fromEntries(record)),
  };
}
