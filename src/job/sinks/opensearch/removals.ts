/** Removes live documents that a listing of all ids lacks, or lets them wait. */
import { JobError } from '../../job-error.ts';
import { applyRemovals } from '../generations/apply-removals.ts';
import { heldBefore, sinceNow } from '../generations/carry-held.ts';
import { type DecidedRemovals, findRemovals, settleRemovals } from '../generations/removals.ts';
import type { ApplyPlan, ApplyResult } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { refresh, streamStamps } from './documents.ts';
import { livePlace } from './held.ts';
import { deleteObsolete } from './obsolete.ts';
import type { State } from './state.ts';

type Listing = { readonly listed: ReadonlySet<string>; readonly plan: ApplyPlan };

export async function applyIds(sink: OpenSearch, of: Listing): Promise<ApplyResult> {
  const decided = await decideIds(sink, of);
  if (decided.kind === 'ask') return decided;
  const result = await applyRemovals(decided, of.plan);
  // With the plan of a sync that this delete made stale, its index goes.
  await deleteObsolete(sink);
  return result;
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
