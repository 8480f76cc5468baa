/** Applies the plan of a delta: writes its records into the live generation, and removes or holds what its source told. */
import { createHash } from 'node:crypto';
import { TooManyRejected } from '../../rejected.ts';
import type { RejectedRecord, SourceRecord } from '../../sources/source.ts';
import type { Applied } from '../sink.ts';
import { fenced } from './fence.ts';
import { each, type HeldEntry } from './held-set.ts';
import type { LiveRecord } from './held-records.ts';
import { changeInPlace, type GenerationsState } from './in-place.ts';
import { earliest } from './load-progress.ts';
import { afterChanges, alreadyLive, forNext } from './next-generation.ts';
import type { Effects, PlannedEffect } from './plan-effect.ts';
import type { LiveGeneration } from './planned-changes.ts';
import { beginInPlace, idsIn, removalsIn } from './planned-in-place.ts';
import { type PlannedRecords, recordsInOrder } from './planned-records.ts';
import type { OpenPlan, ReadRecords } from './plans.ts';
import { keepCopies } from './removed-copies.ts';
import type { RestorePlace } from './restore.ts';
import type { Planned } from './state-parts.ts';
import { mergedHeld } from './told-removals.ts';

export type ChangesPlace<S extends GenerationsState> = LiveGeneration<S> & {
  readonly records: PlannedRecords;
  readonly readBefore: ReadRecords;
  /** The record as its document would be read. */
  readonly asRead: (record: SourceRecord) => LiveRecord;
  /** Safe to repeat. @returns those that the server refuses */
  readonly write: (records: readonly SourceRecord[]) => Promise<readonly RejectedRecord[]>;
};

/** @param of as the planned action knows it */
export function openChanges<S extends GenerationsState>(planned: Planned, of: ChangesPlace<S>): OpenPlan {
  const { place, records, readBefore, asRead } = of;
  return {
    async *effects() {
      yield* effectsOfRecords(records.read(planned.records), place.stampsOf);
      yield* removalsIn(place, planned);
    },
    readBefore,
    readAfter() {
      const find = recordsInOrder(records.read(planned.records));
      return async (ids) => (await find(ids)).map(asRead);
    },
    apply: () => applyChanges(planned, of),
  };
}

async function* effectsOfRecords(
  pages: AsyncIterable<readonly SourceRecord[]>,
  stampsOf: RestorePlace<GenerationsState>['stampsOf'],
): Effects & AsyncGenerator<PlannedEffect> {
  for await (const page of pages) {
    const stamps = await stampsOf(page.map(({ id }) => id));
    for (const { id, updated_at: at, record } of page) {
      const there = stamps.get(id);
      const after = Date.parse(at);
      const kind = !there ? 'added' : there.updatedAt === after ? 'written' : 'updated';
      const content = createHash('sha256').update(JSON.stringify(record)).digest('hex');
      yield { kind, id, before: there?.updatedAt ?? null, after, content };
    }
  }
}

async function applyChanges<S extends GenerationsState>(
  planned: Planned,
  of: ChangesPlace<S>,
): ReturnType<OpenPlan['apply']> {
  const { place, generation } = of;
  await beginInPlace(place);
  const { refused, since, counts } = await writeAll(planned, of);
  const gone = await idsIn(place.sets, planned.gone);
  const withoutCopy = await keepCopies(place, [gone]);
  const rejected = [...planned.applied.rejected, ...refused];
  const applied: Applied = { ...planned.applied, ...counts, rejected, withoutCopy };
  const later = afterChanges(generation, { rejected: [...refused], rejected_since: since }, forNext(planned));
  await changeInPlace(place, {
    ...(await heldAfter(planned, of, gone)),
    gone,
    listed: false,
    ofPlan: true,
    finish(state) {
      const live = state.generations[place.name];
      if (!live) throw fenced(place.alias, `${place.name} is no longer complete`);
      const generations = { ...state.generations, [place.name]: { ...live, ...later } };
      return place.withStep({ ...state, generations }, applied);
    },
  });
  return { applied, watermark: later.watermark };
}

type Written = {
  readonly refused: readonly RejectedRecord[];
  /** The earliest time of a refused record. */
  readonly since: string | null;
  /** The counts of the plan without those that the server refused, each of which is as it was before. */
  readonly counts: Pick<Applied, 'added' | 'updated'>;
};

/** @throws TooManyRejected */
async function writeAll<S extends GenerationsState>(
  { applied, may_reject: mayReject, ...planned }: Planned,
  { place, records, write }: ChangesPlace<S>,
): Promise<Written> {
  const refused: RejectedRecord[] = [];
  let since: string | null = null;
  let { added, updated } = applied;
  for await (const page of records.read(planned.records)) {
    await place.store.read();
    const some = await write(page);
    refused.push(...some);
    since = earliest(since, page, some);
    const ids = new Set(some.map(({ id }) => id));
    const there = await place.stampsOf(page.map(({ id }) => id).filter((id) => ids.has(id)));
    for (const { id, updated_at: at } of page.filter((record) => ids.has(record.id))) {
      const stamp = there.get(id);
      if (!stamp) added -= 1;
      else if (stamp.updatedAt !== Date.parse(at)) updated -= 1;
    }
  }
  await place.makeVisible();
  const rejected = [...applied.rejected, ...refused];
  if (rejected.length > mayReject) throw new TooManyRejected(rejected, mayReject, alreadyLive(place.sink));
  return { refused, since, counts: { added, updated } };
}

/** What waits from now on: what has waited, and what this delta holds, without what goes. */
async function heldAfter<S extends GenerationsState>(
  planned: Planned,
  { place, generation }: LiveGeneration<S>,
  gone: readonly string[],
): Promise<{ held: { count: number; entries: AsyncIterable<HeldEntry> } }> {
  const { sets } = place;
  const before = new Set(await idsIn(sets, generation.held));
  const fresh: HeldEntry[] = [];
  for await (const entry of each(sets.read(planned.held))) if (!before.has(entry.id)) fresh.push(entry);
  const released = gone.filter((id) => before.has(id)).length;
  return {
    held: {
      count: before.size - released + fresh.length,
      entries: mergedHeld(sets.read(generation.held), { fresh, gone: new Set(gone) }),
    },
  };
}
