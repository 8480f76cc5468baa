/**
 * Makes a loaded index live: verifies it, compares it with the live data, lets the caller judge, moves the alias.
 */
import { TooManyRejected } from '../../rejected.ts';
import { compareGenerations, lossesToAsk } from '../generations/comparison.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import { generationAfter } from '../generations/next-generation.ts';
import { leavingNow, withStep } from '../generations/steps.ts';
import type { Applied, ApplyPlan, ApplyResult, Difference, Load } from '../sink.ts';
import { type Live, type OpenSearch, readLive } from './alias.ts';
import { refresh, streamStamps } from './documents.ts';
import { describeIndex } from './indexes.ts';
import type { EverythingLoader } from './load-everything.ts';
import { startMove } from './move-alias.ts';
import { deleteObsolete } from './obsolete.ts';

export async function applyEverything(
  sink: OpenSearch,
  { load, plan, loader }: { load: Load; plan: ApplyPlan; loader: EverythingLoader },
): Promise<ApplyResult> {
  const { client, alias, store } = sink;
  const { rejected, done } = checkLoad(await store.read(), load, alias);
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  const { index } = await loader.verify(load);
  const live = await readLive(sink, await store.read());
  if (live) await refresh(client, live.index.name);
  const { gone, ...counts } = await compareGenerations({
    now: live ? streamStamps(client, live.index.name) : nothing(),
    next: streamStamps(client, index),
    watermark: live?.generation.watermark ?? null,
    answered: plan.answered,
  });
  const ids = lossesToAsk(gone, plan);
  if (ids) return { kind: 'ask', ids };
  const difference: Difference = { ...counts, listed: done, removed: gone.all.count, kept: {} };
  plan.judge(difference);
  const applied: Applied = { ...difference, rejected };
  await switchTo(sink, { load, plan, live, applied, index });
  return { kind: 'applied', applied };
}

async function* nothing(): ReturnType<typeof streamStamps> {}

async function switchTo(
  sink: OpenSearch,
  of: { load: Load; plan: ApplyPlan; live: Live | null; applied: Applied; index: string },
): Promise<void> {
  const { client, alias, writer } = sink;
  const { load, plan, live, applied, index } = of;
  const { uuid } = (await describeIndex(client, index)) ?? {};
  if (uuid === undefined) throw fenced(alias, `the loaded index ${index} was removed`);
  const from = live?.index.name ?? null;
  await startMove(sink, { kind: 'switch', from, to: index }, (state) => {
    checkLoad(state, load, alias);
    // A rollback can restore the data that readers saw until now, unless there were none.
    const kept =
      live && applied.live > 0
        ? { [live.index.name]: { ...live.generation, left_by: leavingNow(writer) } }
        : {};
    const generations = { ...kept, [index]: { uuid, ...generationAfter(plan, live?.generation ?? null) } };
    return {
      load: null,
      generations,
      obsolete: [
        ...state.obsolete,
        ...Object.keys(state.generations).filter((name) => !(name in generations)),
      ],
      steps: withStep(state.steps, writer, applied),
    };
  });
  await deleteObsolete(sink);
}
