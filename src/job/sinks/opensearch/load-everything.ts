/** Fills a new index and verifies that it holds exactly the loaded documents. */
import { JobError, WrongLoadError } from '../../job-error.ts';
import { bytesOf, checkLoad } from '../generations/load-progress.ts';
import { RandomSample } from '../generations/random-sample.ts';
import type { Load, LoadBatch, Turn } from '../sink.ts';
import type { OpenSearch } from './alias.ts';
import type { Target } from './bulk.ts';
import { copyLive } from './copy-live.ts';
import { countDocuments, countFound, refresh } from './documents.ts';
import { noteBatch, targetOf } from './load.ts';
import type { IndexLoad } from './state.ts';
import { writeRecords } from './write-records.ts';

/** Loads batches and keeps a sample of the written ids for verification. */
export type EverythingLoader = {
  readonly loadBatch: (load: Load, batch: LoadBatch, turn: Turn) => Promise<void>;
  /** Refreshes, then compares count and sampled ids with the load. @throws WrongLoadError */
  readonly verify: (load: Load) => Promise<IndexLoad>;
};

export function createEverythingLoader(sink: OpenSearch): EverythingLoader {
  const { client, store, alias } = sink;
  const sample = new RandomSample();
  return {
    async loadBatch(load, batch, turn) {
      const { records, listed } = batch;
      const target = await targetOf(sink, load);
      const rejected = await writeRecords(sink, target, records);
      const refused = new Set(rejected.map(({ id }) => id));
      const written = records.filter(({ id }) => !refused.has(id));
      // The live document of an id without a usable record stays live.
      const stay = records.filter(({ id }) => refused.has(id)).map(({ id }) => id);
      const carried = await carryOver(sink, target, [...listed, ...stay]);
      await turn;
      const count = written.length + carried;
      await noteBatch(sink, load, batch, {
        rejected,
        written: count,
        bytes: bytesOf(written),
        added: 0,
        updated: 0,
      });
      for (const { id } of written) sample.offer(id);
    },

    async verify(load) {
      const state = checkLoad(await store.read(), load, alias);
      const { index, written } = state;
      await refresh(client, index);
      const there = await countDocuments(client, index);
      const ids = sample.ids();
      const found = await countFound(client, index, ids);
      if (there !== written || found !== ids.length) {
        throw new WrongLoadError(
          `${index} holds ${there} of ${written} loaded records and ${found} of ${ids.length} sampled ids; run the job again`,
        );
      }
      return state;
    },
  };
}

/** @returns how many of these ids are live @throws JobError `recordsRejected` if the new mapping refuses one */
async function carryOver(sink: OpenSearch, target: Target, ids: readonly string[]): Promise<number> {
  const { count, refused } = await copyLive(sink, target, ids);
  const [first] = refused;
  if (!first) return count;
  throw new JobError(
    'recordsRejected',
    `the bad record ${JSON.stringify(first.id?.slice(0, 100))} cannot be set aside, because the new index refuses its live ` +
      `document: ${first.why}. Nothing was changed; correct SINK_MAPPING, or the record in the source`,
  );
}
