/** Sink `solr`: puts the parts of this folder together as one sink. */

import { setTimeout as delay } from 'node:timers/promises';
import type { JobArguments } from '../../arguments.ts';
import { shownUrl } from '../../mask.ts';
import type { Sink } from '../sink.ts';
import type { SolrSettings } from '../sink-settings.ts';
import { applicationOf } from './application.ts';
import { findRemovals, liveWatermark, remove, rollback, upsert } from './change.ts';
import { createSolrClient, SolrRefusal } from './client.ts';
import { createCollection, describeCollection } from './collections.ts';
import { beginLoad, createLoader, verifyLoad } from './load.ts';
import { finishMove } from './move.ts';
import { namesOf, readPrimary, type Solr } from './places.ts';
import { createStateStore, STATE_COLLECTION } from './state.ts';
import { compareLoad, dropLoad, switchLoad } from './switch.ts';

/** Connects with the first call, not before. @throws JobError `usage` where arguments and settings disagree */
export function createSolrSink({
  settings,
  given,
  deadlineMs,
}: {
  settings: SolrSettings;
  given: Pick<JobArguments, 'action' | 'jobId' | 'switchSolrAlias' | 'targetEnv' | 'target'>;
  /** Of every request, instead of those that suit each. */
  deadlineMs?: number;
}): Sink {
  const app = applicationOf(settings, given);
  const client = createSolrClient(settings.url, deadlineMs === undefined ? {} : { deadlineMs });
  const solr: Solr = { client, names: namesOf(app), store: createStateStore(client, app, given.jobId) };
  let primary: Promise<string> | undefined;
  const live = (): Promise<string> => (primary ??= readPrimary(solr));
  let rolledBack = false;
  return {
    shownAs: shownUrl(settings.url),
    place: `alias ${app}`,
    async open() {
      await prepareState(solr);
      await solr.store.change((state) => state);
      rolledBack = (await finishMove(solr)) === 'rollback';
    },
    liveWatermark: () => liveWatermark(solr, live),
    beginLoad: (input) => beginLoad(solr, input),
    loadBatch: createLoader(solr),
    verifyLoad: (expected) => verifyLoad(solr, expected),
    compareLoad: () => compareLoad(solr),
    switchLoad: (load) => switchLoad(solr, load),
    dropLoad: (load) => dropLoad(solr, load),
    upsert: (records, options) => upsert(solr, live, records, options),
    findRemovals: (sourceIds) => findRemovals(solr, live, sourceIds),
    remove: (ids, options) => remove(solr, live, ids, options),
    async rollback() {
      // The one that was asked for and died half-way: going on from there is going back once, not twice.
      if (!rolledBack) await rollback(solr, given.jobId);
    },
    async close() {},
  };
}

const TRIES = 20;
const PAUSE_MS = 250;

/** Makes the state's collection where it is missing. Safe to repeat. */
async function prepareState(solr: Solr): Promise<void> {
  const primary = await readPrimary(solr);
  for (let tried = 1; ; tried += 1) {
    try {
      await solr.store.read();
      return;
    } catch (error) {
      // 404 is also what a node answers that has not heard of the new collection yet.
      if (!(error instanceof SolrRefusal) || error.status !== 404 || tried === TRIES) throw error;
      if (tried === 1) {
        await createCollection(solr.client, STATE_COLLECTION, await describeCollection(solr.client, primary));
      } else {
        await delay(PAUSE_MS);
      }
    }
  }
}
