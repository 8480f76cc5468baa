/** Removes live documents that a listing of all ids lacks, or lets them wait. */
import { heldBefore, sinceNow } from '../generations/carry-held.ts';
import { withRun } from '../generations/earlier-runs.ts';
import { changeInPlace } from '../generations/in-place.ts';
import { keepCopies } from '../generations/removed-copies.ts';
import { findRemovals, settleRemovals } from '../generations/removals.ts';
import { leavingNow } from '../generations/steps.ts';
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { generationIn, readPrimary, type Solr } from './aliases.ts';
import { commit, streamStamps } from './documents.ts';
import { livePlace } from './held.ts';
import { withStep } from './steps.ts';

export async function applyIds(
  solr: Solr,
  { listed, plan }: { listed: ReadonlySet<string>; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, store, sets, writer } = solr;
  const collection = await readPrimary(solr);
  const live = await generationIn(solr, await store.read(), collection);
  // A killed attempt may have left uncommitted deletions.
  await commit(client, collection);
  const held = sets.read(heldBefore(plan, live));
  const found = await findRemovals({ stamps: streamStamps(client, collection), held }, listed, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const judgement = plan.judge(found.difference);
  const settled = settleRemovals(found, { judgement, plan, since: sinceNow(writer, live) });
  const place = livePlace(solr, { collection, generation: live });
  const withoutCopy = await keepCopies(place, [settled.gone]);
  const applied: Applied = { ...settled.difference, rejected: [], withoutCopy };
  await changeInPlace(place, {
    held: { count: settled.held.length, entries: settled.held },
    gone: settled.gone,
    listed: plan.mayRemove,
    finish: (state) => ({
      ...state,
      ...withStep(state, writer, applied),
      earlier_runs: withRun(state.earlier_runs, leavingNow(writer), applied),
    }),
  });
  return { kind: 'applied', applied };
}
