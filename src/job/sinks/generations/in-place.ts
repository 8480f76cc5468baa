/** Removes documents of the live generation and replaces its list of held records; readers see no switch. */
import type { EarlierRuns } from './earlier-runs.ts';
import type { FencedStore } from './fenced-store.ts';
import { fenced } from './fence.ts';
import type { HeldEntry } from './held-set.ts';
import type { HeldSets } from './held-store.ts';
import { slices } from './slices.ts';
import type { Generation, HeldSet, Planned, Step } from './state-parts.ts';

const REMOVED_AT_ONCE = 1_000;

export type GenerationsState = {
  readonly generations: Readonly<Record<string, Generation>>;
  readonly dropped_sets: HeldSet[];
  readonly steps: readonly Step[];
  readonly earlier_runs: EarlierRuns;
  readonly planned: Planned | null;
};

/** The live generation, as documents and as a part of the state. */
export type LivePlace<S extends GenerationsState> = {
  readonly alias: string;
  /** The index or collection. */
  readonly name: string;
  readonly store: FencedStore<S>;
  readonly sets: HeldSets;
  /** Effective once it is visible. Safe to repeat. */
  readonly remove: (ids: readonly string[]) => Promise<void>;
  readonly makeVisible: () => Promise<void>;
  /** Deletes what the state no longer names. Safe to repeat. */
  readonly deleteDropped: () => Promise<void>;
};

/**
 * The list is written first, and counts once the state names it: a program killed before that has removed some of what
 * the next attempt removes, and the earlier list still holds.
 *
 * @param of.finish further changes of the state, with those of the live generation
 */
export async function changeInPlace<S extends GenerationsState>(
  { alias, name, store, sets, remove, makeVisible, deleteDropped }: LivePlace<S>,
  of: {
    /** Those that wait from now on, in byte order. */
    held: { readonly count: number; readonly entries: AsyncIterable<HeldEntry> | Iterable<HeldEntry> };
    gone: readonly string[];
    /** A full listing is applied. */
    listed: boolean;
    /** The kept plan itself is applied. */
    ofPlan?: true;
    finish: (state: S) => S;
  },
): Promise<void> {
  if (!of.ofPlan) await dropPlan(store);
  const held = await sets.announce(of.held.count);
  if (held) await sets.write(held, of.held.entries);
  for (const some of slices(of.gone, REMOVED_AT_ONCE)) {
    await store.read();
    await remove(some);
  }
  await makeVisible();
  const listed = of.listed ? { listed_at: new Date().toISOString() } : {};
  await store.change(
    (state) => {
      const generation = state.generations[name];
      if (!generation) throw fenced(alias, `${name} is no longer complete`);
      const generations = { ...state.generations, [name]: { ...generation, held, ...listed } };
      return of.finish({ ...state, generations });
    },
    { durable: true },
  );
  await deleteDropped();
}

/** Before the live data differ from those of the plan. */
async function dropPlan<S extends GenerationsState>(store: FencedStore<S>): Promise<void> {
  const { planned } = await store.read();
  if (planned !== null) await store.change((state) => ({ ...state, planned: null }), { durable: true });
}
