/** Fills the standby through the loading alias and verifies that it holds exactly the loaded documents. */
import { WrongLoadError } from '../../job-error.ts';
import type { Load, LoadBatch, Turn } from '../sink.ts';
import { RandomSample } from '../generations/random-sample.ts';
import { carryOver } from './carry-over.ts';
import { commit, countDocuments, countFound } from './documents.ts';
import { bytesOf, checkLoad } from '../generations/load-progress.ts';
import { noteBatch } from './load.ts';
import type { Solr } from './aliases.ts';
import type { LoadState } from './state.ts';
import { writeRecords } from './write-records.ts';

/** Loads batches and keeps a sample of the written ids for verification. */
export type EverythingLoader = {
  readonly loadBatch: (load: Load, batch: LoadBatch, turn: Turn) => Promise<void>;
  /** Commits, then compares count and sampled ids with the load. @throws WrongLoadError */
  readonly verify: (load: Load) => Promise<LoadState>;
};

export function createEverythingLoader(solr: Solr): EverythingLoader {
  const { client, names, store } = solr;
  const sample = new RandomSample();
  return {
    async loadBatch(load, batch, turn) {
      const { records, listed } = batch;
      checkLoad(await store.read(), load, names.primary);
      const rejected = await writeRecords(client, names.loading, records);
      const refused = new Set(rejected.map(({ id }) => id));
      const written = records.filter(({ id }) => !refused.has(id));
      // The live document of an id without a usable record stays live.
      const stay = records.filter(({ id }) => refused.has(id)).map(({ id }) => id);
      const carried = await carryOver(solr, [...listed, ...stay]);
      await turn;
      await noteBatch(solr, load, batch, {
        rejected,
        written: written.length + carried,
        bytes: bytesOf(written),
        added: 0,
        updated: 0,
      });
      for (const { id } of written) sample.offer(id);
    },

    async verify(load) {
      const state = checkLoad(await store.read(), load, names.primary);
      const { collection, written } = state;
      await commit(client, collection);
      const there = await countDocuments(client, collection);
      const ids = sample.ids();
      const found = await countFound(client, collection, ids);
      if (there !== written || found !== ids.length) {
        throw new WrongLoadError(
          `the standby holds ${there} of ${written} loaded records and ${found} of ${ids.length} sampled ids; run the job again`,
        );
      }
      return state;
    },
  };
}
