/** A plan that changes the live generation in place, as a delete does: what goes and what waits, kept as lists of ids. */
import type { Applied, ApplyPlan } from '../sink.ts';
import { withStepAndRun } from './apply-removals.ts';
import { each, type HeldEntry, type Since } from './held-set.ts';
import type { HeldSets } from './held-store.ts';
import { changeInPlace, type GenerationsState } from './in-place.ts';
import { type Effects, effectsOn } from './plan-effect.ts';
import type { Decided, OpenPlan, ReadRecords } from './plans.ts';
import { keepCopies } from './removed-copies.ts';
import type { DecidedRemovals } from './removals.ts';
import type { RestorePlace } from './restore.ts';
import type { HeldSet, Planned } from './state-parts.ts';

/** Keeps what goes and what waits, until the plan is gone. */
export async function keepRemovals(
  sets: HeldSets,
  of: { gone: readonly string[]; held: readonly HeldEntry[]; since: Since },
): Promise<Pick<Planned, 'gone' | 'held'>> {
  const gone = of.gone.map((id) => ({ id, since: of.since }));
  return { gone: await keepList(sets, gone), held: await keepList(sets, of.held) };
}

/** What the plan of a delete stores. */
export async function deleteToKeep<S extends GenerationsState>(
  { place, settled, since }: Pick<DecidedRemovals<S>, 'place' | 'settled' | 'since'>,
  { coarseTimes: coarse_times, proven }: Pick<ApplyPlan, 'coarseTimes' | 'proven'>,
): Promise<Decided> {
  return {
    live: place.name,
    load: null,
    records: null,
    ...(await keepRemovals(place.sets, { ...settled, since })),
    watermark: place.watermark,
    source_state: null,
    coarse_times,
    proven,
    applied: { ...settled.difference, rejected: [] },
  };
}

async function keepList(sets: HeldSets, entries: readonly HeldEntry[]): Promise<HeldSet | null> {
  const set = await sets.announce(entries.length);
  if (set) await sets.write(set, entries);
  return set;
}

export async function* removalsIn<S extends GenerationsState>(
  { sets, stampsOf }: Pick<RestorePlace<S>, 'sets' | 'stampsOf'>,
  { gone, held }: Pick<Planned, 'gone' | 'held'>,
): Effects & AsyncGenerator {
  yield* effectsOn('removed', sets.read(gone), stampsOf);
  yield* effectsOn('held', sets.read(held), stampsOf);
}

/** @param of.place as the planned action knows it */
export function openDelete<S extends GenerationsState>(
  planned: Planned,
  { place, readBefore }: { place: RestorePlace<S>; readBefore: ReadRecords },
): OpenPlan {
  return {
    effects: () => removalsIn(place, planned),
    readBefore,
    readAfter: () => async () => [],
    async apply() {
      await beginInPlace(place);
      const { sets } = place;
      const gone = await idsIn(sets, planned.gone);
      const withoutCopy = await keepCopies(place, [gone]);
      const applied: Applied = { ...planned.applied, withoutCopy };
      await changeInPlace(place, {
        held: { count: planned.held?.count ?? 0, entries: each(sets.read(planned.held)) },
        gone,
        listed: planned.proven,
        ofPlan: true,
        finish: (state) => withStepAndRun(place, state, applied),
      });
      return { applied, watermark: planned.watermark };
    },
  };
}

/** From now on the live data may differ from those of the plan, so that only an apply of it goes on. */
export async function beginInPlace<S extends GenerationsState>({
  store,
}: Pick<RestorePlace<S>, 'store'>): Promise<void> {
  await store.change((state) => ({ ...state, planned: state.planned && { ...state.planned, begun: true } }), {
    durable: true,
  });
}

export async function idsIn(sets: HeldSets, set: HeldSet | null): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of each(sets.read(set))) ids.push(id);
  return ids;
}
