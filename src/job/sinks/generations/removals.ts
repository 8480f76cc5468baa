/** Decides which live records a listing of all ids removes. Keeps the listed ids in memory, and live ones page by page. */
import { randomUUID } from 'node:crypto';
import type { ApplyPlan, Difference, Kept, Load } from '../sink.ts';
import type { Stamps } from './compare.ts';
import { EvenSample, MOST_ASKED } from './even-sample.ts';

/** A load of ids; not resumable, since reading all ids again costs little. */
export type IdsLoad = { readonly load: Load; readonly listed: Set<string> };

export function beginIds(began: Date): IdsLoad {
  const load: Load = { id: randomUUID(), mode: 'ids', began, cursor: null, done: 0, resumed: false };
  return { load, listed: new Set() };
}

/** The ids to ask the source for first, or those to remove, with what this changes. */
export type Removals =
  | { readonly ask: readonly string[] }
  | { readonly ask: null; readonly remove: readonly string[]; readonly difference: Difference };

export async function findRemovals(
  stamps: Stamps,
  listed: ReadonlySet<string>,
  plan: Pick<ApplyPlan, 'mayRemove' | 'answered'>,
): Promise<Removals> {
  const gone: string[] = [];
  let live = 0;
  for await (const page of stamps) {
    live += page.length;
    for (const { id } of page) if (!listed.has(id)) gone.push(id);
  }
  const answered = gone.filter((id) => plan.answered?.has(id)).length;
  const kept: Kept = plan.mayRemove ? counted({ answered }) : counted({ no_evidence: gone.length });
  const remove = plan.mayRemove ? gone.filter((id) => !plan.answered?.has(id)) : [];
  if (remove.length > 0 && plan.answered === null) return { ask: sampleOf(remove) };
  const difference: Difference = {
    live,
    listed: listed.size,
    added: 0,
    updated: 0,
    removed: remove.length,
    kept,
    missed: null,
  };
  return { ask: null, remove, difference };
}

function counted(kept: Kept): Kept {
  return Object.fromEntries(Object.entries(kept).filter(([, count]) => count > 0));
}

function sampleOf(ids: readonly string[]): readonly string[] {
  const sample = new EvenSample(MOST_ASKED);
  for (const id of ids) sample.offer(id);
  return sample.ids;
}
