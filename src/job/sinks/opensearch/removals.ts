/** Removes live documents that a listing of all ids lacks. */
import { JobError } from '../../job-error.ts';
import { findRemovals } from '../generations/removals.ts';
import { slices } from '../generations/slices.ts';
import { withStep } from '../generations/steps.ts';
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { removalOf, sendBulk } from './bulk.ts';
import { refresh, streamStamps } from './documents.ts';

const SLICE = 1_000;

export async function applyIds(
  sink: OpenSearch,
  { listed, plan }: { listed: ReadonlySet<string>; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, store, writer } = sink;
  const live = await readLive(sink, await store.read());
  if (!live) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
  const index = live.index.name;
  // A killed attempt may have left deletions that are not visible yet.
  await refresh(client, index);
  const found = await findRemovals(streamStamps(client, index), listed, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const { remove, difference } = found;
  plan.judge(difference);
  for (const some of slices(remove, SLICE)) {
    const { epoch } = await store.read();
    const [refused] = await sendBulk(sink, { index, epoch }, some.map(removalOf));
    if (refused) throw new JobError('failed', `sink: ${index} keeps a document: ${refused.why}`);
  }
  await refresh(client, index);
  const applied: Applied = { ...difference, rejected: [] };
  await store.change((state) => ({ ...state, steps: withStep(state.steps, writer, applied) }));
  return { kind: 'applied', applied };
}
