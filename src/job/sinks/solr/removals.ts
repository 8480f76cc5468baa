/**
 * Removes live documents that a listing of all ids lacks. Keeps the listed ids in memory and reads Solr's ids
 * page by page.
 */
import { randomUUID } from 'node:crypto';
import type { Applied, ApplyPlan, ApplyResult, Difference, Kept, Load } from '../sink.ts';
import { commit, deleteDocuments, slices, streamStamps } from './documents.ts';
import { EvenSample, MOST_ASKED } from './even-sample.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { withStep } from './steps.ts';

const SLICE = 1_000;

/** A load of ids; not resumable, since reading all ids again costs little. */
export type IdsLoad = { readonly load: Load; readonly listed: Set<string> };

export function beginIds(began: Date): IdsLoad {
  const load: Load = { id: randomUUID(), mode: 'ids', began, cursor: null, done: 0, resumed: false };
  return { load, listed: new Set() };
}

export async function applyIds(
  solr: Solr,
  { listed, plan }: { listed: ReadonlySet<string>; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, store, writer } = solr;
  const collection = await readPrimary(solr);
  await store.read();
  // A killed attempt may have left uncommitted deletions.
  await commit(client, collection);
  const { live, gone } = await findGone(solr, collection, listed);
  const answered = gone.filter((id) => plan.answered?.has(id)).length;
  const kept: Kept = plan.mayRemove ? counted({ answered }) : counted({ no_evidence: gone.length });
  const go = plan.mayRemove ? gone.filter((id) => !plan.answered?.has(id)) : [];
  if (go.length > 0 && plan.answered === null) return { kind: 'ask', ids: sampleOf(go) };
  const difference: Difference = {
    live,
    listed: listed.size,
    added: 0,
    updated: 0,
    removed: go.length,
    kept,
    missed: null,
  };
  plan.judge(difference);
  for (const some of slices(go, SLICE)) {
    await store.read();
    await deleteDocuments(client, collection, some);
  }
  await commit(client, collection);
  const applied: Applied = { ...difference, rejected: [] };
  await store.change((state) => ({ ...state, ...withStep(state, writer, applied) }), { durable: true });
  return { kind: 'applied', applied };
}

async function findGone(
  { client }: Solr,
  collection: string,
  listed: ReadonlySet<string>,
): Promise<{ live: number; gone: string[] }> {
  const gone: string[] = [];
  let live = 0;
  for await (const page of streamStamps(client, collection)) {
    live += page.length;
    for (const { id } of page) if (!listed.has(id)) gone.push(id);
  }
  return { live, gone };
}

function counted(kept: Kept): Kept {
  return Object.fromEntries(Object.entries(kept).filter(([, count]) => count > 0));
}

function sampleOf(ids: readonly string[]): readonly string[] {
  const sample = new EvenSample(MOST_ASKED);
  for (const id of ids) sample.offer(id);
  return sample.ids;
}
