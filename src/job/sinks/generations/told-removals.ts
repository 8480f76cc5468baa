/** Removes live records that a delta's source says it has deleted, or lets them wait. Keeps the told ids in memory. */
import { isAfter } from '../../sources/byte-order.ts';
import type { GoneRecord } from '../../sources/source.ts';
import { type Applied, type ApplyPlan, type Difference, type Load, MOST_ASKED } from '../sink.ts';
import type { Stamp } from './compare.ts';
import { findInOrder, type HeldEntry, type HeldPages, type Since } from './held-set.ts';
import { changeInPlace, type GenerationsState, type LivePlace } from './in-place.ts';
import { judgeWhatIsLive } from './next-generation.ts';
import { keepCopies } from './removed-copies.ts';
import { settleRemovals } from './removals.ts';
import type { HeldSet } from './state-parts.ts';

/** What this run has been told, by load. A later attempt reads again, since the state stores only how many there were. */
export type Told = {
  readonly add: (load: Pick<Load, 'id'>, gone: readonly GoneRecord[]) => void;
  readonly of: (load: Pick<Load, 'id'>) => readonly GoneRecord[];
};

export function createTold(): Told {
  let current: string | null = null;
  let told: GoneRecord[] = [];
  return {
    add({ id }, gone) {
      if (current !== id) told = [];
      current = id;
      for (const one of gone) told.push(one);
    },
    of: ({ id }) => (current === id ? told : []),
  };
}

/** What goes unless it is held, in byte order. */
export type ToldRemovals = {
  readonly missing: readonly string[];
  readonly heldBefore: ReadonlyMap<string, HeldEntry>;
  readonly answered: number;
};

/**
 * @param of.stampsOf the stamps of those that are live
 * @param of.held what is held now
 * @returns the ids to ask the source for first, or what goes
 */
export async function findToldRemovals(
  of: {
    told: readonly GoneRecord[];
    stampsOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Stamp>>;
    held: HeldPages;
  },
  { answered }: Pick<ApplyPlan, 'answered'>,
): Promise<{ readonly ask: readonly string[] } | (ToldRemovals & { readonly ask: null })> {
  const stamps = await of.stampsOf(of.told.map(({ id }) => id));
  const live = of.told.filter(({ id, at }) => isOld(stamps.get(id), at)).map(({ id }) => id);
  const gone = live.toSorted((one, other) => (isAfter(one, other) ? 1 : -1));
  const missing = gone.filter((id) => answered?.has(id) !== true);
  const heldBefore = new Map<string, HeldEntry>();
  const find = findInOrder(of.held);
  for (const id of missing) {
    const entry = await find(id);
    if (entry) heldBefore.set(id, entry);
  }
  if (missing.length > 0 && answered === null) return { ask: someOf(missing, (id) => !heldBefore.has(id)) };
  return { ask: null, missing, heldBefore, answered: gone.length - missing.length };
}

/** A live record with a later time than its deletion is a newer one. */
function isOld(stamp: Stamp | undefined, at: string): boolean {
  return stamp !== undefined && stamp.updatedAt !== null && stamp.updatedAt <= Date.parse(at);
}

/** All up to the limit; beyond it, those that may go now come first. In byte order. */
function someOf(ids: readonly string[], mayGo: (id: string) => boolean): readonly string[] {
  if (ids.length <= MOST_ASKED) return ids;
  const fresh = ids.filter(mayGo);
  if (fresh.length < MOST_ASKED) {
    const rest = ids.filter((id) => !mayGo(id)).slice(0, MOST_ASKED - fresh.length);
    return [...fresh, ...rest].toSorted((one, other) => (isAfter(one, other) ? 1 : -1));
  }
  return Array.from(
    { length: MOST_ASKED },
    (_, nth) => fresh[Math.floor((nth * fresh.length) / MOST_ASKED)],
  ).filter((id) => id !== undefined);
}

/**
 * Judges a delta whose records are live already, then removes what goes. Above the limits nothing goes.
 *
 * @param of.server its name @param of.held the set of the live generation
 * @param of.finish the state after the step, with these counts
 */
export async function settleTold<S extends GenerationsState>(
  place: LivePlace<S> & Parameters<typeof keepCopies>[0],
  found: ToldRemovals,
  of: {
    server: string;
    plan: ApplyPlan;
    difference: Difference;
    rejected: Applied['rejected'];
    held: HeldSet | null;
    since: Since;
    finish: (state: S, applied: Applied) => S;
  },
): Promise<Applied> {
  const { plan, held, since, rejected } = of;
  const { missing, heldBefore, answered } = found;
  const kept = answered > 0 ? { answered } : {};
  const difference: Difference = { ...of.difference, removed: missing.length, kept };
  const judgement = judgeWhatIsLive(of.server, plan, difference);
  const settled = settleRemovals({ ask: null, missing, heldBefore, difference }, { judgement, plan, since });
  const withoutCopy = await keepCopies(place, [settled.gone]);
  const applied: Applied = { ...settled.difference, rejected, withoutCopy };
  const gone = new Set(settled.gone);
  const fresh = settled.held.filter(({ id }) => !heldBefore.has(id));
  const released = settled.gone.filter((id) => heldBefore.has(id)).length;
  if (gone.size === 0 && fresh.length === 0) {
    await place.store.change((state) => of.finish(state, applied), { durable: true });
    // The begin of this delta has dropped a plan.
    await place.deleteDropped();
    return applied;
  }
  await changeInPlace(place, {
    held: {
      count: (held?.count ?? 0) - released + fresh.length,
      entries: mergedHeld(place.sets.read(held), { fresh, gone }),
    },
    gone: settled.gone,
    listed: false,
    finish: (state) => of.finish(state, applied),
  });
  return applied;
}

/** What was held without what goes, and what is held for the first time, in byte order. */
export async function* mergedHeld(
  pages: HeldPages,
  { fresh, gone }: { fresh: readonly HeldEntry[]; gone: ReadonlySet<string> },
): AsyncGenerator<HeldEntry> {
  let next = 0;
  for await (const page of pages)
    for (const entry of page) {
      for (let one = fresh[next]; one && isAfter(entry.id, one.id); one = fresh[++next]) yield one;
      if (!gone.has(entry.id)) yield entry;
    }
  yield* fresh.slice(next);
}
