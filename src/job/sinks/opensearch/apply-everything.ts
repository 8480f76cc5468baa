/**
 * Makes a loaded index live: verifies it, compares it with the live data, lets the caller judge, carries over what is held,
 * moves the alias.
 */
import { TooManyRejected } from '../../rejected.ts';
import {
  afterHolding,
  cannotHoldRefused,
  type Carrying,
  carryHeld,
  countToHold,
  heldBefore,
  sinceNow,
} from '../generations/carry-held.ts';
import type { Stamps } from '../generations/compare.ts';
import { compareGenerations, lossesToAsk, refuseLosses } from '../generations/comparison.ts';
import { withRun } from '../generations/earlier-runs.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad, measuredOf } from '../generations/load-progress.ts';
import { type ForNext, generationAfter } from '../generations/next-generation.ts';
import { idsGone, keepCopies } from '../generations/removed-copies.ts';
import { leavingNow, withStep } from '../generations/steps.ts';
import type { HeldSet } from '../generations/state-parts.ts';
import type { Applied, ApplyPlan, ApplyResult, Difference, Judgement, Load } from '../sink.ts';
import { type Live, type OpenSearch, readLive } from './alias.ts';
import { copyLive } from './copy-live.ts';
import { countDocuments, refresh, streamStamps } from './documents.ts';
import { describeIndex } from './indexes.ts';
import type { EverythingLoader } from './load-everything.ts';
import { targetOf } from './load.ts';
import { startMove } from './move-alias.ts';
import { deleteObsolete } from './obsolete.ts';
import { createCopyStore } from './removed-copies.ts';

type ToApply = { readonly load: Load; readonly plan: ApplyPlan; readonly loader: EverythingLoader };

/** What a move of the alias does, as it was judged. */
export type DecidedSwitch = {
  readonly kind: 'decided';
  readonly live: Live | null;
  readonly index: string;
  readonly applied: Applied;
  readonly held: HeldSet | null;
};

export async function applyEverything(sink: OpenSearch, of: ToApply): Promise<ApplyResult> {
  const decided = await decideEverything(sink, of);
  if (decided.kind === 'ask') return decided;
  return { kind: 'applied', applied: await applySwitch(sink, { ...of, decided }) };
}

/** All of a move but what readers see. */
export async function decideEverything(
  sink: OpenSearch,
  { load, plan, loader }: ToApply,
): Promise<Extract<ApplyResult, { kind: 'ask' }> | DecidedSwitch> {
  const { client, alias, store, sets } = sink;
  const { rejected, done } = checkLoad(await store.read(), load, alias);
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  const verified = await loader.verify(load);
  const { index, written } = verified;
  const live = await readLive(sink, await store.read());
  if (live) await refresh(client, live.index.name);
  const { gone, ...counts } = await compareGenerations({
    now: stampsIn(sink, live),
    next: streamStamps(client, index),
    watermark: live?.generation.watermark ?? null,
    answered: plan.answered,
    held: sets.read(heldBefore(plan, live?.generation ?? null)),
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
  const held = live
    ? await carryHeld(carrying(sink, { load, live, index, judgement }), { count, written })
    : null;
  const applied: Applied = { ...afterHolding(difference, { judgement, count }), rejected };
  return { kind: 'decided', live, index, applied, held };
}

/** @returns the counts */
export async function applySwitch(
  sink: OpenSearch,
  { load, plan, decided }: { load: Pick<Load, 'id'>; plan: ForNext; decided: DecidedSwitch },
): Promise<Applied> {
  const { live, index, held, applied: planned } = decided;
  const withoutCopy =
    live && planned.removed > 0 ? await keepGone(sink, { now: live.index.name, next: index }) : 0;
  const applied: Applied = { ...planned, withoutCopy };
  await switchTo(sink, { load, plan, live, applied, index, held });
  return applied;
}

/** Of what readers see; none before the first switch. */
export function stampsIn({ client }: OpenSearch, live: Live | null): Stamps {
  return live ? streamStamps(client, live.index.name) : nothing();
}

function carrying(
  sink: OpenSearch,
  { load, live, index, judgement }: { load: Load; live: Live; index: string; judgement: Judgement },
): Carrying {
  const { client, alias, store, sets, writer } = sink;
  return {
    sets,
    now: () => streamStamps(client, live.index.name),
    next: () => streamStamps(client, index),
    before: live.generation.held,
    since: judgement !== 'apply' ? sinceNow(writer, live.generation) : null,
    async announce(carried) {
      await store.change((state) => ({ ...state, load: { ...checkLoad(state, load, alias), carried } }));
    },
    async copy(ids) {
      const { refused } = await copyLive(sink, await targetOf(sink, load), ids);
      if (refused.length > 0) throw cannotHoldRefused(refused, 'correct SINK_MAPPING');
    },
    async count() {
      await refresh(client, index);
      return await countDocuments(client, index);
    },
  };
}

/** Copies the documents that the switch removes. @returns how many could not be copied whole */
export async function keepGone(sink: OpenSearch, of: { now: string; next: string }): Promise<number> {
  const { client } = sink;
  const gone = idsGone({ now: streamStamps(client, of.now), next: streamStamps(client, of.next) });
  return await keepCopies({ ...sink, copies: createCopyStore(sink, of.now) }, gone);
}

async function* nothing(): Stamps {}

async function switchTo(
  sink: OpenSearch,
  of: {
    load: Pick<Load, 'id'>;
    plan: ForNext;
    live: Live | null;
    applied: Applied;
    index: string;
    held: HeldSet | null;
  },
): Promise<void> {
  const { client, alias, writer } = sink;
  const { load, plan, live, applied, index, held } = of;
  const { uuid } = (await describeIndex(client, index)) ?? {};
  if (uuid === undefined) throw fenced(alias, `the loaded index ${index} was removed`);
  const from = live?.index.name ?? null;
  await startMove(sink, { kind: 'switch', from, to: index, undoes: null }, (state) => {
    checkLoad(state, load, alias);
    const by = leavingNow(writer);
    // A rollback can restore the data that readers saw until now, unless there were none.
    const kept = live && applied.live > 0 ? { [live.index.name]: { ...live.generation, left_by: by } } : {};
    const next = generationAfter(plan, { live: live?.generation ?? null, held });
    const generations = { ...kept, [index]: { uuid, ...next } };
    return {
      load: null,
      generations,
      obsolete: [
        ...state.obsolete,
        ...Object.keys(state.generations).filter((name) => !(name in generations)),
      ],
      steps: withStep(state.steps, writer, applied),
      earlier_runs: withRun(state.earlier_runs, by, applied),
    };
  });
  await deleteObsolete(sink);
}
