/** The behaviour that all sources share, whatever they read. */
import { describe, expect, it } from 'vitest';
import type { Source, SourceBatch } from '../../../src/job/sources/source.ts';
import { collect } from './fake-source.ts';

/** The place that a source reads, which a test can change. */
export type SourcePlace = AsyncDisposable & {
  /** Adds records. */
  put(ids: readonly string[], changed: Date): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  /** Deletes records so that the source tells it; missing: it cannot. */
  markDeleted?(ids: readonly string[], at: Date): Promise<void>;
  open(stop: AbortSignal): Source;
};

/** Ids that a collation, an escape or a surrogate pair could put elsewhere. */
// biome-ignore format: one per line would hide the tests
export const ODD_IDS = ['B', 'a', 'A', 'ä', 'z', '10', '9', "o'brien", '%', 'a|b', 'a b', '-', '\uE000', '😀', 'ﬀ', 'ß'];

const OLD = new Date('2026-11-01T09:30:00Z');
const NEW = new Date('2026-11-02T00:00:00Z');
const never = new AbortController().signal;

export function describeSource(name: string, create: () => Promise<SourcePlace>): void {
  describe(`${name}, as every source,`, () => {
    it('gives each record once, in byte order of the ids, with evidence', async () => {
      await using place = await create();
      await place.put(ODD_IDS, OLD);
      const source = place.open(never);
      expect((await source.survey(null)).total ?? ODD_IDS.length).toBe(ODD_IDS.length);
      expect((await source.evidence()).complete, 'before the listing').toBe(false);
      const batches = await collect(source.changedSince(null, null, 3));
      expect(batches.flatMap(idsOf)).toEqual(byBytes(ODD_IDS));
      expect(batches.every(({ records }) => records.length <= 3)).toBe(true);
      expect(batches.at(-1)?.cursor).toEqual({ after: byBytes(ODD_IDS).at(-1), done: ODD_IDS.length });
      expect(await source.evidence()).toMatchObject({ complete: true });
      const listed = await collect(source.ids(3));
      expect(listed.flatMap(({ ids }) => ids)).toEqual(byBytes(ODD_IDS));
      expect(await source.evidence()).toMatchObject({ complete: true });
      await source.close?.();
    });

    it('goes on behind any cursor, and still tells whether the listing is complete', async () => {
      await using place = await create();
      await place.put(ODD_IDS, OLD);
      const ids = byBytes(ODD_IDS);
      for (const [at, after] of ids.entries()) {
        const source = place.open(never);
        await source.survey(null);
        const batches = await collect(source.changedSince(null, { after, done: at + 1 }, 5));
        expect(batches.flatMap(idsOf), `after ${after}`).toEqual(ids.slice(at + 1));
        expect(await source.evidence(), `after ${after}`).toMatchObject({ complete: true });
        await source.close?.();
      }
    });

    it('lists the changes since a time, or says that it always lists everything', async () => {
      await using place = await create();
      await place.put(['old'], OLD);
      await place.put(['at', 'new'], NEW);
      const source = place.open(never);
      const expected = source.lists === 'changes' ? ['at', 'new'] : ['at', 'new', 'old'];
      expect((await source.survey(NEW)).total ?? expected.length).toBe(expected.length);
      const batches = await collect(source.changedSince(NEW, null, 10));
      expect(batches.flatMap(idsOf)).toEqual(expected);
      await source.close?.();
    });

    it('tells in a list of changes which records it has deleted since then, or nothing of deletions', async () => {
      await using place = await create();
      await place.put(['gone before', ...ODD_IDS], OLD);
      await place.put(['new'], NEW);
      await place.markDeleted?.(['gone before'], OLD);
      const gone = place.markDeleted ? ['B', '-', '😀', "o'brien"] : [];
      await place.markDeleted?.(gone, NEW);
      const source = place.open(never);
      const batches = await collect(source.changedSince(NEW, null, 2));
      if (source.lists === 'changes') {
        const told = batches.flatMap((batch) => batch.gone ?? []);
        expect(told.map(({ id }) => id)).toEqual(byBytes(gone));
        for (const { at } of told) expect(Date.parse(at)).toBe(NEW.getTime());
        expect(batches.flatMap(idsOf)).toEqual(['new']);
        expect(batches.at(-1)?.cursor.done).toBe(gone.length + 1);
        expect((await source.survey(NEW)).total ?? gone.length + 1).toBe(gone.length + 1);
        // In one order with the records, so that a later attempt goes on behind either.
        const all = byBytes(['new', ...gone]);
        for (const [at, after] of all.entries()) {
          const rest = await collect(source.changedSince(NEW, { after, done: at + 1 }, 2));
          const listed = rest.flatMap((batch) => [
            ...idsOf(batch),
            ...(batch.gone ?? []).map(({ id }) => id),
          ]);
          expect(byBytes(listed), `after ${after}`).toEqual(all.slice(at + 1));
        }
      }
      const whole = await collect(source.changedSince(null, null, 100));
      expect(whole.flatMap((batch) => batch.gone ?? [])).toEqual([]);
      await source.close?.();
    });

    it('tells no deletion of a record that it has again', async () => {
      await using place = await create();
      await place.put(['a', 'b'], OLD);
      await place.markDeleted?.(['a', 'b'], NEW);
      if (place.markDeleted) await place.put(['b'], NEW);
      const source = place.open(never);
      const batches = await collect(source.changedSince(OLD, null, 10));
      const told = batches.flatMap((batch) => batch.gone ?? []).map(({ id }) => id);
      expect(told).toEqual(place.markDeleted ? ['a'] : []);
      expect(batches.flatMap(idsOf)).toEqual(place.markDeleted ? ['b'] : ['a', 'b']);
      await source.close?.();
    });

    it('proves nothing when its reader leaves early', async () => {
      await using place = await create();
      await place.put(ODD_IDS, OLD);
      const source = place.open(never);
      await source.survey(null);
      for await (const { records } of source.changedSince(null, null, 3)) if (records.length > 0) break;
      expect((await source.evidence()).complete).toBe(false);
      await source.close?.();
    });

    it('tells which of some ids it still has, as of now', async () => {
      await using place = await create();
      await place.put(ODD_IDS, OLD);
      const source = place.open(never);
      await collect(source.ids(10));
      await place.remove(['B', '😀']);
      const left = ODD_IDS.filter((id) => id !== 'B' && id !== '😀');
      const there = await source.stillThere(byBytes([...ODD_IDS, 'none']));
      expect(byBytes([...there])).toEqual(byBytes(left));
      expect([...(await source.stillThere([]))]).toEqual([]);
      await source.close?.();
    });

    it('ends with the reason of a stop', async () => {
      await using place = await create();
      await place.put(
        Array.from({ length: 300 }, (_, at) => `p${String(at).padStart(4, '0')}`),
        OLD,
      );
      const stop = new AbortController();
      const source = place.open(stop.signal);
      const reading = async (): Promise<void> => {
        for await (const { records } of source.changedSince(null, null, 10))
          if (records.length > 0) stop.abort(new Error('enough'));
      };
      await expect(reading()).rejects.toThrow('enough');
      expect((await source.evidence()).complete).toBe(false);
      await source.close?.();
    });
  });
}

function idsOf({ records }: SourceBatch): string[] {
  return records.map(({ id }) => id);
}

export function byBytes(ids: readonly string[]): string[] {
  return ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
