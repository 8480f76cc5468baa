/** Removes live documents that a listing of all ids lacks, or lets them wait. */
import { heldBefore, sinceNow } from '../generations/carry-held.ts';
import { withRun } from '../generations/earlier-runs.ts';
import { changeInPlace } from '../generations/in-place.ts';
import { keepCopies } from '../generations/removed-copies.ts';
import { type DecidedRemovals, findRemovals, settleRemovals } from '../generations/removals.ts';
import { leavingNow } from '../generations/steps.ts';
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { generationIn, readPrimary, type Solr } from './aliases.ts';
import { commit, streamStamps } from './documents.ts';
import { livePlace } from './held.ts';
import type { State } from './state.ts';
import { withStep } from './steps.ts';

type Listing = { readonly listed: ReadonlySet<string>; readonly plan: ApplyPlan };

export async function applyIds(solr: Solr, of: Listing): Promise<ApplyResult> {
  const decided = await decideIds(solr, of);
  if (decided.kind === 'ask') return decided;
  const { place, settled } = decided;
  const withoutCopy = await keepCopies(place, [settled.gone]);
  const applied: Applied = { ...settled.difference, rejected: [], withoutCopy };
  await changeInPlace(place, {
    held: { count: settled.held.length, entries: settled.held },
    gone: settled.gone,
    listed: of.plan.mayRemove,
    finish: (state) => ({
      ...state,
      ...withStep(state, solr.writer, applied),
      earlier_runs: withRun(state.earlier_runs, leavingNow(solr.writer), applied),
    }),
  });
  return { kind: 'applied', applied };
}

/** Changes nothing. */
export async function decideIds(
  solr: Solr,
  { listed, plan }: Listing,
): Promise<Extract<ApplyResult, { kind: 'ask' }> | DecidedRemovals<State>> {
  const { client, store, sets, writer } = solr;
  const collection = await readPrimary(solr);
  const live = await generationIn(solr, await store.read(), collection);
  // A killed attempt may have left uncommitted deletions.
  await commit(client, collection);
  const held = sets.read(heldBefore(plan, live));
  const found = await findRemovals({ stamps: streamStamps(client, collection), held }, listed, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const judgement = plan.judge(found.difference);
  const since = sinceNow(writer, live);
  const settled = settleRemovals(found, { judgement, plan, since });
  return { kind: 'decided', place: livePlace(solr, { collection, generation: live }), since, settled };
}
