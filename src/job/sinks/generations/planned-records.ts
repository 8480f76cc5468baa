/** The records of a planned delta, in pieces beside the state, as JSON texts whose numbers keep all their digits. */
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import { groupsOf } from '../../sources/in-groups.ts';
import { parseExactly } from '../../sources/record-number.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { FencedStore } from './fenced-store.ts';
import { each, keysOf, newSet } from './held-set.ts';
import { type PieceMedium, readPiece } from './held-store.ts';
import type { HeldSet } from './state-parts.ts';

const piece = z.object({ records: z.array(z.string()) });

/** A piece is one document, which a search engine holds in memory as a whole. */
const PIECES = { make: textOf, lengthOf: (text: string) => text.length * 8, mostRows: 500 };

export type PlannedRecords = {
  /** Notes the set as one to delete until a plan names it. @returns it with these records @throws JobError `fenced` */
  add(set: HeldSet | null, records: readonly SourceRecord[]): Promise<HeldSet | null>;
  /** In the order in which they were added. @throws JobError if a piece is missing */
  read(set: HeldSet | null): AsyncIterable<readonly SourceRecord[]>;
};

/** @param of.where the index or collection of the pieces */
export function createPlannedRecords<S extends { readonly dropped_sets: HeldSet[] }>(
  { alias, where, store }: { alias: string; where: string; store: FencedStore<S> },
  medium: PieceMedium,
): PlannedRecords {
  return {
    async add(set, records) {
      if (records.length === 0) return set;
      const groups = [...groupsOf(records, PIECES)];
      const { id, count, pieces } = set ?? newSet(0);
      const next = { id, count: count + records.length, pieces: pieces + groups.length };
      await store.change((state) => ({
        ...state,
        dropped_sets: [...state.dropped_sets.filter((one) => one.id !== id), next],
      }));
      const keys = keysOf(alias, next).slice(pieces);
      for (const [nth, key] of keys.entries()) await medium.write(key, { records: groups[nth] ?? [] });
      // A newer run has deleted the set, and knows nothing of a piece that came later.
      await store.read().catch(async (error: unknown) => {
        await medium.remove(keys);
        throw error;
      });
      return next;
    },
    async *read(set) {
      for (const key of set ? keysOf(alias, set) : []) {
        const found = await readPiece({ where, medium }, key, piece);
        if (!found) throw missing(where, key);
        yield found.records.map(recordIn);
      }
    },
  };
}

function textOf({ id, updated_at, record }: SourceRecord): string {
  return JSON.stringify([id, updated_at, record]);
}

function recordIn(text: string): SourceRecord {
  const [id, updated_at, record] = parseExactly(text) as [string, string, SourceRecord['record']];
  return { id, updated_at, record };
}

function missing(where: string, key: string): JobError {
  const why = `sink: the document ${key} of ${where} is missing, which holds records of the plan`;
  return new JobError('failed', `${why}; nothing was changed. Make a new plan`);
}

/** Finds records by ids that are asked for in the order in which they were added. */
export function recordsInOrder(
  pages: AsyncIterable<readonly SourceRecord[]>,
): (ids: readonly string[]) => Promise<SourceRecord[]> {
  const records = each(pages);
  return async (ids) => {
    const found: SourceRecord[] = [];
    while (found.length < ids.length) {
      const { value, done } = await records.next();
      if (done) break;
      if (value.id === ids[found.length]) found.push(value);
    }
    return found;
  };
}
