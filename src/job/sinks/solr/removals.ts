/** Removes live documents that a listing of all ids lacks. */
import { findRemovals } from '../generations/removals.ts';
import { slices } from '../generations/slices.ts';
import type { Applied, ApplyPlan, ApplyResult } from '../sink.ts';
import { commit, deleteDocuments, streamStamps } from './documents.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { withStep } from './steps.ts';

const SLICE = 1_000;

export async function applyIds(
  solr: Solr,
  { listed, plan }: { listed: ReadonlySet<string>; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, store, writer } = solr;
  const collection = await readPrimary(solr);
  await store.read();
  // A killed attempt may have left uncommitted deletions.
  await commit(client, collection);
  const found = await findRemovals(streamStamps(client, collection), listed, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const { remove, difference } = found;
  plan.judge(difference);
  for (const some of slices(remove, SLICE)) {
    await store.read();
    await deleteDocuments(client, collection, some);
  }
  await commit(client, collection);
  const applied: Applied = { ...difference, rejected: [] };
  await store.change((state) => ({ ...state, ...withStep(state, writer, applied) }), { durable: true });
  return { kind: 'applied', applied };
}
