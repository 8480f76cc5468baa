/** Reads the records whose removal waits for an answer, and removes those that are approved, in the live generation. */
import { JobError } from '../../job-error.ts';
import { type HeldRecord, MOST_RECORD_BYTES } from '../held-records.ts';
import { type Applied, type HeldRecords, NOTHING_APPLIED, type Removal } from '../sink.ts';
import type { Writer } from '../writer.ts';
import type { HeldEntry, HeldPages } from './held-set.ts';
import { changeInPlace, type GenerationsState, type LivePlace } from './in-place.ts';
import { type CopyStore, keepCopies } from './removed-copies.ts';
import { slices } from './slices.ts';
import type { HeldSet } from './state-parts.ts';
import { findDone } from './steps.ts';

/** Whole documents may be large. */
const READ_AT_ONCE = 100;

/** A live document without what the sink adds to it. */
export type LiveRecord = {
  readonly id: string;
  /** In milliseconds; null for a document without a time. */
  readonly updatedAt: number | null;
  readonly json: string;
};

export type HeldPlace<S extends GenerationsState> = LivePlace<S> & {
  readonly held: HeldSet | null;
  readonly copies: CopyStore;
  readonly writer: Writer;
  readonly log: (line: string) => void;
  readonly count: () => Promise<number>;
  readonly readRecords: (ids: readonly string[]) => Promise<readonly LiveRecord[]>;
  readonly withStep: (state: S, applied: Applied) => S;
};

/** @param livePlace the place that readers see now; null: none yet */
export function createHeldRecords<S extends GenerationsState>(
  livePlace: () => Promise<HeldPlace<S> | null>,
): HeldRecords {
  return {
    async isUnusual() {
      const place = await livePlace();
      if (!place) return false;
      const { steps } = await place.store.look();
      return findDone(steps, place.writer)?.heldAsUnusual ?? false;
    },
    async live() {
      const place = await livePlace();
      return place ? await place.count() : 0;
    },
    async *read() {
      const place = await livePlace();
      if (place) yield* readHeld(place);
    },
    async beginRemoval() {
      const place = await livePlace();
      if (!place) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
      return beginRemoval(place);
    },
  };
}

async function* readHeld<S extends GenerationsState>({
  sets,
  held,
  readRecords,
}: HeldPlace<S>): AsyncGenerator<readonly HeldRecord[]> {
  for await (const entries of sets.read(held))
    for (const some of slices(entries, READ_AT_ONCE)) {
      const records = new Map((await readRecords(some.map(({ id }) => id))).map((one) => [one.id, one]));
      // A killed removal may have removed some already.
      yield some.flatMap((entry) => {
        const record = records.get(entry.id);
        return record ? [heldRecord(entry, record)] : [];
      });
    }
}

function heldRecord({ id, since: { at, seen } }: HeldEntry, { updatedAt, json }: LiveRecord): HeldRecord {
  return {
    id,
    missingSince: new Date(at),
    lastSeen: seen === null ? null : new Date(seen),
    updatedAt: new Date(updatedAt ?? at),
    json: Buffer.byteLength(json) > MOST_RECORD_BYTES ? null : json,
  };
}

function beginRemoval<S extends GenerationsState>(place: HeldPlace<S>): Removal {
  const settled = { there: new Set<string>(), gone: new Set<string>() };
  return {
    async add({ there, gone }) {
      for (const id of there) settled.there.add(id);
      for (const id of gone) settled.gone.add(id);
    },
    async apply() {
      await place.makeVisible();
      const live = await place.count();
      const { sets, held } = place;
      const remove: string[] = [];
      let left = 0;
      for await (const entries of sets.read(held))
        for (const { id } of entries)
          if (settled.gone.has(id)) remove.push(id);
          else if (!settled.there.has(id)) left += 1;
      const kept = left > 0 ? { held: left } : {};
      const withoutCopy = await keepCopies(place, [remove]);
      const applied: Applied = { ...NOTHING_APPLIED, live, removed: remove.length, kept, withoutCopy };
      const stays = (id: string): boolean => !settled.gone.has(id) && !settled.there.has(id);
      await changeInPlace(place, {
        held: { count: left, entries: only(sets.read(held), stays) },
        gone: remove,
        listed: false,
        finish: (state) => place.withStep(state, applied),
      });
      return applied;
    },
  };
}

async function* only(pages: HeldPages, stays: (id: string) => boolean): AsyncGenerator<HeldEntry> {
  for await (const entries of pages) yield* entries.filter(({ id }) => stays(id));
}
