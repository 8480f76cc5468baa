/**
 * Opens the sink: checks the alias, creates the state collection if missing, takes the fence, finishes an
 * interrupted move.
 */
import { type Applied, NOTHING_APPLIED } from '../sink.ts';
import { makeCollection } from './make-collection.ts';
import { finishMove } from './move-aliases.ts';
import type { Solr } from './aliases.ts';
import { STATE_COLLECTION } from './state-store.ts';
import { dropExpiredPlan } from '../generations/expired-plan.ts';
import { isSameRollback, type RollbackGiven } from '../generations/steps.ts';
import { findApplied, withStep } from './steps.ts';

/**
 * @returns the counts if an earlier attempt has applied this step; else null
 * @throws JobError `fenced`, `sinkOwned`
 */
export async function openSolr(solr: Solr, given: RollbackGiven): Promise<Applied | null> {
  const { store, sets, writer, log } = solr;
  await makeCollection(solr, STATE_COLLECTION, () => store.look());
  await store.takeFence();
  const finished = await finishMove(solr);
  if (finished !== null) log(`finished the interrupted ${finished.kind} of the aliases of an earlier run`);
  await dropExpiredPlan(store, writer);
  await sets.deleteDropped();
  const state = await store.read();
  const done = findApplied(state, writer);
  if (done || finished?.kind !== 'rollback' || !isSameRollback(writer, given, finished.undoes)) return done;
  // Finishing the interrupted rollback of another run is the one rollback that this run was asked for.
  const last = state.steps.at(-1);
  const applied = last?.action === 'rollback' ? last.applied : NOTHING_APPLIED;
  await store.change((now) => ({ ...now, ...withStep(now, writer, applied) }), { durable: true });
  return applied;
}
