/**
 * Makes a loaded standby live: verifies it, compares it with the live data, lets the caller judge, switches the
 * aliases.
 */
import { TooManyRejected } from '../../rejected.ts';
import type { Applied, ApplyPlan, ApplyResult, Difference, Load } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { commit, countDocuments, streamStamps } from './documents.ts';
import { compareGenerations, lossesToAsk } from '../generations/comparison.ts';
import { generationAfter } from '../generations/next-generation.ts';
import { UNKNOWN } from '../generations/state-parts.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import type { EverythingLoader } from './load-everything.ts';
import { startMove } from './move-aliases.ts';
import { generationIn, readPlaces, type Solr } from './aliases.ts';
import type { Generation } from './state.ts';
import { leavingNow } from '../generations/steps.ts';
import { withStep } from './steps.ts';

export async function applyEverything(
  solr: Solr,
  { load, plan, loader }: { load: Load; plan: ApplyPlan; loader: EverythingLoader },
): Promise<ApplyResult> {
  const { client, names, store } = solr;
  const { rejected, done } = checkLoad(await store.read(), load, names.primary);
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  const { collection } = await loader.verify(load);
  const { primary } = await readPlaces(solr);
  await commit(client, primary);
  const live = await generationIn(solr, await store.read(), primary);
  const { gone, ...counts } = await compareGenerations({
    now: streamStamps(client, primary),
    next: streamStamps(client, collection),
    watermark: live?.watermark ?? null,
    answered: plan.answered,
  });
  const ids = lossesToAsk(gone, plan);
  if (ids) return { kind: 'ask', ids };
  const difference: Difference = { ...counts, listed: done, removed: gone.all.count, kept: {} };
  plan.judge(difference);
  const applied: Applied = { ...difference, rejected };
  await switchTo(solr, { load, plan, live, applied });
  return { kind: 'applied', applied };
}

async function switchTo(
  solr: Solr,
  of: { load: Load; plan: ApplyPlan; live: Generation | null; applied: Applied },
): Promise<void> {
  const { client, names, store, writer } = solr;
  const { load, plan, live, applied } = of;
  const { primary, standby } = await readPlaces(solr);
  if (checkLoad(await store.read(), load, names.primary).collection !== standby)
    throw fenced(names.primary, 'the standby is no longer the loaded collection');
  const { creationTimeMillis: created } = await describeCollection(client, standby);
  const before = await describeCollection(client, primary);
  const something = (await countDocuments(client, primary)) > 0;
  await startMove(solr, { kind: 'switch', primary: standby, standby: primary }, (state) => {
    checkLoad(state, load, names.primary);
    const kept = live ?? { ...UNKNOWN, created: before.creationTimeMillis };
    const next = { created, ...generationAfter(plan, live) };
    // A rollback can restore the data that readers saw until now, no matter who loaded them, unless there were none.
    const earlier = something ? { [primary]: { ...kept, left_by: leavingNow(writer) } } : {};
    return { load: null, generations: { ...earlier, [standby]: next }, ...withStep(state, writer, applied) };
  });
}
