/**
 * Opens the sink: checks the alias, creates the state collection if missing, takes the fence, finishes an
 * interrupted move.
 */
import { waitFor } from '../../wait.ts';
import { type Applied, NOTHING_APPLIED } from '../sink.ts';
import { isMissing } from '../../http/json-client.ts';
import { createCollection, describeCollection } from './collections.ts';
import { finishMove } from './move-aliases.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { STATE_COLLECTION } from './state-store.ts';
import { findApplied, withStep } from './steps.ts';

const TRIES = 20;
const PAUSE_MS = 250;

/**
 * @returns the counts if an earlier attempt has applied this step; else null
 * @throws JobError `fenced`, `sinkOwned`
 */
export async function openSolr(solr: Solr): Promise<Applied | null> {
  const { store, sets, writer, log } = solr;
  await prepareState(solr);
  await store.takeFence();
  const finished = await finishMove(solr);
  if (finished !== null) log(`finished the interrupted ${finished} of the aliases of an earlier run`);
  await sets.deleteDropped();
  const state = await store.read();
  const done = findApplied(state, writer);
  if (done || finished !== 'rollback' || writer.action !== 'rollback') return done;
  // Finishing the interrupted rollback of another run is the one rollback that this run was asked for.
  const last = state.steps.at(-1);
  const applied = last?.action === 'rollback' ? last.applied : NOTHING_APPLIED;
  await store.change((now) => ({ ...now, ...withStep(now, writer, applied) }), { durable: true });
  return applied;
}

/** Safe to repeat. */
async function prepareState(solr: Solr): Promise<void> {
  const { client, store, stop } = solr;
  const primary = await readPrimary(solr);
  for (let tried = 1; ; tried += 1) {
    try {
      await store.look();
      return;
    } catch (error) {
      // A node that does not know the new collection yet answers 404 too.
      if (!isMissing(error) || tried === TRIES) throw error;
      if (tried === 1)
        await createCollection(client, STATE_COLLECTION, await describeCollection(client, primary));
      else await waitFor(PAUSE_MS, stop);
    }
  }
}
