/** Decides which live records a listing of all ids removes. Keeps the listed ids in memory, and live ones page by page. */
import { randomUUID } from 'node:crypto';
import {
  type Applied,
  type ApplyPlan,
  type Difference,
  type Judgement,
  type Kept,
  type Load,
  MOST_ASKED,
} from '../sink.ts';
import { unusual } from './carry-held.ts';
import type { Stamps } from './compare.ts';
import { EvenSample, freshFirst } from './even-sample.ts';
import { findInOrder, type HeldEntry, type HeldPages, type Since } from './held-set.ts';
import type { GenerationsState } from './in-place.ts';
import type { RestorePlace } from './restore.ts';

/** A load of ids; not resumable, since reading all ids again costs little. */
export type IdsLoad = { readonly load: Load; readonly listed: Set<string> };

export function beginIds(began: Date): IdsLoad {
  const load: Load = { id: randomUUID(), mode: 'ids', began, cursor: null, done: 0, resumed: false };
  return { load, listed: new Set() };
}

/** The ids to ask the source for first, or what a removal of everything that is missing would change. */
export type Removals =
  | { readonly ask: readonly string[] }
  | {
      readonly ask: null;
      /** In byte order. */
      readonly missing: readonly string[];
      readonly heldBefore: ReadonlyMap<string, HeldEntry>;
      readonly difference: Difference;
    };

/** @param of.held what is held now */
export async function findRemovals(
  of: { stamps: Stamps; held: HeldPages },
  listed: ReadonlySet<string>,
  plan: Pick<ApplyPlan, 'mayRemove' | 'answered'>,
): Promise<Removals> {
  const gone: string[] = [];
  let live = 0;
  for await (const page of of.stamps) {
    live += page.length;
    for (const { id } of page) if (!listed.has(id)) gone.push(id);
  }
  const missing = gone.filter((id) => !plan.answered?.has(id));
  const heldBefore = await heldAmong(missing, of.held);
  const answered = gone.length - missing.length;
  // Without evidence no question is settled.
  const kept: Kept = plan.mayRemove
    ? counted({ answered })
    : counted({ held: heldBefore.size, no_evidence: gone.length - heldBefore.size });
  if (plan.mayRemove && missing.length > 0 && plan.answered === null)
    return { ask: freshFirst(sampleOf(missing.filter((id) => !heldBefore.has(id))), sampleOf(missing)) };
  const difference: Difference = {
    live,
    listed: listed.size,
    added: 0,
    updated: 0,
    removed: plan.mayRemove ? missing.length : 0,
    kept,
    missed: null,
  };
  return { ask: null, missing, heldBefore, difference };
}

async function heldAmong(ids: readonly string[], held: HeldPages): Promise<Map<string, HeldEntry>> {
  const find = findInOrder(held);
  const found = new Map<string, HeldEntry>();
  for (const id of ids) {
    const entry = await find(id);
    if (entry) found.set(id, entry);
  }
  return found;
}

/** What a judgement makes of the missing records. @param of.since for those that are held for the first time */
export function settleRemovals(
  { missing, heldBefore, difference }: Extract<Removals, { ask: null }>,
  of: { judgement: Judgement; plan: Pick<ApplyPlan, 'mayRemove' | 'force'>; since: Since },
): {
  held: readonly HeldEntry[];
  gone: readonly string[];
  difference: Difference & Pick<Applied, 'heldAsUnusual'>;
} {
  const { judgement, plan, since } = of;
  const stays = (id: string): boolean =>
    !plan.mayRemove || judgement !== 'apply' || (!plan.force && heldBefore.has(id));
  const entries = missing.filter(stays).map((id) => heldBefore.get(id) ?? { id, since });
  const held = plan.mayRemove ? entries : entries.filter(({ id }) => heldBefore.has(id));
  const gone = missing.filter((id) => !stays(id));
  const kept = counted({ ...difference.kept, held: held.length });
  const settled = { ...difference, removed: gone.length, kept, ...unusual(judgement, held.length) };
  return { held, gone, difference: settled };
}

export type Settled = ReturnType<typeof settleRemovals>;

/** What a delete does in the live generation, as it was judged. */
export type DecidedRemovals<S extends GenerationsState> = {
  readonly kind: 'decided';
  readonly place: RestorePlace<S>;
  readonly since: Since;
  readonly settled: Settled;
};

function counted(kept: Kept): Kept {
  return Object.fromEntries(Object.entries(kept).filter(([, count]) => count > 0));
}

function sampleOf(ids: readonly string[]): readonly string[] {
  const sample = new EvenSample(MOST_ASKED);
  for (const id of ids) sample.offer(id);
  return sample.ids;
}
