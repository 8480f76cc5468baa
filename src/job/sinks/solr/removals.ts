/** Removes live documents that a listing of all ids lacks, or lets them wait. */
import { applyRemovals } from '../generations/apply-removals.ts';
import { heldBefore, sinceNow } from '../generations/carry-held.ts';
import { type DecidedRemovals, findRemovals, settleRemovals } from '../generations/removals.ts';
import type { ApplyPlan, ApplyResult } from '../sink.ts';
import { generationIn, readPrimary, type Solr } from './aliases.ts';
import { commit, streamStamps } from './documents.ts';
import { livePlace } from './held.ts';
import type { State } from './state.ts';

type Listing = { readonly listed: ReadonlySet<string>; readonly plan: ApplyPlan };

export async function applyIds(solr: Solr, of: Listing): Promise<ApplyResult> {
  const decided = await decideIds(solr, of);
  if (decided.kind === 'ask') return decided;
  return await applyRemovals(decided, of.plan);
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
