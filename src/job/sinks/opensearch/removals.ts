/** Removes live documents that a listing of all ids lacks, or lets them wait. */
import { JobError } from '../../job-error.ts';
import { heldBefore, sinceNow } from '../generations/carry-held.ts';
import { changeInPlace } from '../generations/in-place.ts';
import { keepCopies } from '../generations/removed-copies.ts';
import { type DecidedRemovals, findRemovals, settleRemovals } from '../generations/removals.ts';
import { withRun } from '../generations/earlier-runs.ts';
import { leavingNow, withStep } from '../generations/steps.ts';
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { refresh, streamStamps } from './documents.ts';
import { livePlace } from './held.ts';
import { deleteObsolete } from './obsolete.ts';
import type { State } from './state.ts';

type Listing = { readonly listed: ReadonlySet<string>; readonly plan: ApplyPlan };

export async function applyIds(sink: OpenSearch, of: Listing): Promise<ApplyResult> {
  const decided = await decideIds(sink, of);
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
      steps: withStep(state.steps, sink.writer, applied),
      earlier_runs: withRun(state.earlier_runs, leavingNow(sink.writer), applied),
    }),
  });
  // With the plan of a sync that this delete made stale, its index goes.
  await deleteObsolete(sink);
  return { kind: 'applied', applied };
}

/** Changes nothing. */
export async function decideIds(
  sink: OpenSearch,
  { listed, plan }: Listing,
): Promise<Extract<ApplyResult, { kind: 'ask' }> | DecidedRemovals<State>> {
  const { client, store, sets, writer } = sink;
  const live = await readLive(sink, await store.read());
  if (!live) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
  const { name } = live.index;
  // A killed attempt may have left deletions that are not visible yet.
  await refresh(client, name);
  const held = sets.read(heldBefore(plan, live.generation));
  const found = await findRemovals({ stamps: streamStamps(client, name), held }, listed, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const judgement = plan.judge(found.difference);
  const since = sinceNow(writer, live.generation);
  const settled = settleRemovals(found, { judgement, plan, since });
  return { kind: 'decided', place: livePlace(sink, live), since, settled };
}
