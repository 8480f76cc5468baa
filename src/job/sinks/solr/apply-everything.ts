/**
 * Makes a loaded standby live: verifies it, compares it with the live data, lets the caller judge, carries over what is
 * held, switches the aliases.
 */
import { TooManyRejected } from '../../rejected.ts';
import type { Applied, ApplyPlan, ApplyResult, Difference, Judgement, Load } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { commit, countDocuments, streamStamps } from './documents.ts';
import {
  afterHolding,
  type Carrying,
  carryHeld,
  countToHold,
  heldBefore,
  sinceNow,
} from '../generations/carry-held.ts';
import { carryHeldOver } from './carry-over.ts';
import { compareGenerations, lossesToAsk, refuseLosses } from '../generations/comparison.ts';
import { withRun } from '../generations/earlier-runs.ts';
import { type ForNext, generationAfter } from '../generations/next-generation.ts';
import { type HeldSet, UNKNOWN } from '../generations/state-parts.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad, measuredOf } from '../generations/load-progress.ts';
import type { EverythingLoader } from './load-everything.ts';
import { startMove } from './move-aliases.ts';
import { generationIn, readPlaces, type Solr } from './aliases.ts';
import { idsGone, keepCopies } from '../generations/removed-copies.ts';
import { createCopyStore } from './removed-copies.ts';
import type { Generation } from './state.ts';
import { leavingNow } from '../generations/steps.ts';
import { withStep } from './steps.ts';

type ToApply = { readonly load: Load; readonly plan: ApplyPlan; readonly loader: EverythingLoader };

/** What a switch does, as it was judged. */
export type DecidedSwitch = {
  readonly kind: 'decided';
  readonly live: Generation | null;
  readonly primary: string;
  readonly collection: string;
  readonly applied: Applied;
  readonly held: HeldSet | null;
};

export async function applyEverything(solr: Solr, of: ToApply): Promise<ApplyResult> {
  const decided = await decideEverything(solr, of);
  if (decided.kind === 'ask') return decided;
  return { kind: 'applied', applied: await applySwitch(solr, { ...of, decided }) };
}

/** All of a switch but what readers see. */
export async function decideEverything(
  solr: Solr,
  { load, plan, loader }: ToApply,
): Promise<Extract<ApplyResult, { kind: 'ask' }> | DecidedSwitch> {
  const { client, names, store, sets } = solr;
  const { rejected, done } = checkLoad(await store.read(), load, names.primary);
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  const verified = await loader.verify(load);
  const { collection, written } = verified;
  const { primary } = await readPlaces(solr);
  await commit(client, primary);
  const live = await generationIn(solr, await store.read(), primary);
  const { gone, ...counts } = await compareGenerations({
    now: streamStamps(client, primary),
    next: streamStamps(client, collection),
    watermark: live?.watermark ?? null,
    answered: plan.answered,
    held: sets.read(heldBefore(plan, live)),
  });
  const ids = lossesToAsk(gone, plan);
  if (ids) return { kind: 'ask', ids };
  const difference: Difference = {
    ...counts,
    listed: done,
    removed: gone.all.count,
    kept: {},
    ...measuredOf(verified, load),
  };
  const judgement = plan.judge(difference);
  refuseLosses(gone, judgement);
  const count = countToHold(judgement, plan, gone);
  const held = await carryHeld(carrying(solr, { load, live, primary, collection, judgement }), {
    count,
    written,
  });
  const applied: Applied = { ...afterHolding(difference, { judgement, count }), rejected };
  return { kind: 'decided', live, primary, collection, applied, held };
}

/** @returns the counts */
export async function applySwitch(
  solr: Solr,
  { load, plan, decided }: { load: Pick<Load, 'id'>; plan: ForNext; decided: DecidedSwitch },
): Promise<Applied> {
  const { live, primary, collection, held, applied: planned } = decided;
  const withoutCopy = planned.removed > 0 ? await keepGone(solr, { now: primary, next: collection }) : 0;
  const applied: Applied = { ...planned, withoutCopy };
  await switchTo(solr, { load, plan, live, applied, held });
  return applied;
}

/** Copies the documents that the switch removes. @returns how many could not be copied whole */
export async function keepGone(solr: Solr, of: { now: string; next: string }): Promise<number> {
  const { client } = solr;
  const gone = idsGone({ now: streamStamps(client, of.now), next: streamStamps(client, of.next) });
  return await keepCopies({ ...solr, copies: createCopyStore(solr, of.now) }, gone);
}

function carrying(
  solr: Solr,
  of: { load: Load; live: Generation | null; primary: string; collection: string; judgement: Judgement },
): Carrying {
  const { client, names, store, sets, writer } = solr;
  const { load, live, primary, collection, judgement } = of;
  return {
    sets,
    now: () => streamStamps(client, primary),
    next: () => streamStamps(client, collection),
    before: live?.held ?? null,
    since: judgement !== 'apply' ? sinceNow(writer, live) : null,
    async announce(carried) {
      await store.change(
        (state) => ({ ...state, load: { ...checkLoad(state, load, names.primary), carried } }),
        { durable: true },
      );
    },
    async copy(ids) {
      checkLoad(await store.read(), load, names.primary);
      await carryHeldOver(solr, ids);
    },
    async count() {
      await commit(client, collection);
      return await countDocuments(client, collection);
    },
  };
}

async function switchTo(
  solr: Solr,
  of: {
    load: Pick<Load, 'id'>;
    plan: ForNext;
    live: Generation | null;
    applied: Applied;
    held: HeldSet | null;
  },
): Promise<void> {
  const { client, names, store, writer } = solr;
  const { load, plan, live, applied, held } = of;
  const { primary, standby } = await readPlaces(solr);
  if (checkLoad(await store.read(), load, names.primary).collection !== standby)
    throw fenced(names.primary, 'the standby is no longer the loaded collection');
  const { creationTimeMillis: created } = await describeCollection(client, standby);
  const before = await describeCollection(client, primary);
  const something = (await countDocuments(client, primary)) > 0;
  await startMove(solr, { kind: 'switch', primary: standby, standby: primary, undoes: null }, (state) => {
    checkLoad(state, load, names.primary);
    const kept = live ?? { ...UNKNOWN, created: before.creationTimeMillis };
    const next = { created, ...generationAfter(plan, { live, held }) };
    // A rollback can restore the data that readers saw until now, no matter who loaded them, unless there were none.
    const by = leavingNow(writer);
    const earlier = something ? { [primary]: { ...kept, left_by: by } } : {};
    return {
      load: null,
      generations: { ...earlier, [standby]: next },
      ...withStep(state, writer, applied),
      earlier_runs: withRun(state.earlier_runs, by, applied),
    };
  });
  await solr.sets.deleteDropped();
}
