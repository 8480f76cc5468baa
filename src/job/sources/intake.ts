/** Checks the lines of a listing and their order, and groups them into batches. */
import { JobError } from '../job-error.ts';
import { isAfter } from './byte-order.ts';
import type { Line } from './lines.ts';
import { checkId, checkRecord, RecordFault } from './record-check.ts';
import type { Cursor, GoneRecord, IdBatch, RejectedRecord, SourceBatch, SourceRecord } from './source.ts';
import { goneRecordOf, Tombstone } from './tombstone.ts';

/** A batch ends at this many characters, however few its records are. */
const MOST_BATCH_LENGTH = 4 * 1024 * 1024;

/** The kind of listing: records or ids. */
export type ListingKind<T, B> = {
  readonly check: (line: string) => T | RecordFault;
  readonly idOf: (item: T) => string;
  readonly batch: (
    items: readonly T[],
    more: { rejected: readonly RejectedRecord[]; gone: readonly GoneRecord[]; cursor: Cursor },
  ) => B;
};

export const RECORDS: ListingKind<SourceRecord, SourceBatch> = {
  check: checkRecord,
  idOf: ({ id }) => id,
  batch: (records, { gone, ...more }) => ({ records, ...more, ...(gone.length > 0 && { gone }) }),
};

export const IDS: ListingKind<string, IdBatch> = {
  check: checkId,
  idOf: (id) => id,
  batch: (ids, { rejected, cursor }) => ({ ids, rejected, cursor }),
};

export type Intake<B> = {
  /** Adds a line; ignores blank ones. */
  readonly take: (line: Line | Tombstone, where: () => string) => void;
  /** The batch, if it is full or `rest` is asked for; null if there is none. */
  readonly give: (what: 'full' | 'rest') => B | null;
  /** The last id; null before the first. */
  readonly after: () => string | null;
  /** Lines so far, including those of earlier attempts. */
  readonly count: () => number;
  /** Position of the first line without a readable id; null if every id was readable. */
  readonly hole: () => string | null;
  /** Call before reading again after the last id: lines without an id that follow it come a second time. */
  readonly again: () => void;
};

export function createIntake<T, B>(
  kind: ListingKind<T, B>,
  { from, batchSize }: { from: Cursor | null; batchSize: number },
): Intake<B> {
  const { check, idOf } = kind;
  const collected = createCollected(kind, batchSize);
  let after = from?.after || null;
  /** Lines up to and including that of `after`: the cursor's count. */
  let done = from?.done ?? 0;
  /** Lines after `after` without an id. A page that is requested again brings them again. */
  let nameless = 0;
  let known = 0;
  let hole: string | null = null;

  function moveTo(id: string, where: () => string): void {
    if (after !== null && !isAfter(id, after)) throw disorder(where());
    after = id;
    done += nameless + 1;
    nameless = known = 0;
  }

  function takeGone(line: Tombstone, where: () => string): void {
    const record = goneRecordOf(line);
    if (record === null) return;
    moveTo(record.id, where);
    collected.gone.push(record);
  }

  return {
    take(line, where) {
      if (line instanceof Tombstone) return takeGone(line, where);
      const item = typeof line === 'string' ? check(line) : new RecordFault(line.id, line.why);
      const isBad = item instanceof RecordFault;
      // Blank lines are rare and fail the check, so only bad lines are tested for it.
      if (isBad && typeof line === 'string' && line.trim() === '') return;
      const id = isBad ? item.id : idOf(item);
      if (id === null) {
        nameless += 1;
        if (nameless <= known) return;
        hole ??= where();
      } else moveTo(id, where);
      if (isBad) collected.rejected.push({ where: where(), id, why: item.why });
      else collected.items.push(item);
      collected.length += typeof line === 'string' ? line.length : 0;
    },
    give: (what) => collected.give(what, { after: after ?? '', done }),
    after: () => after,
    count: () => done + Math.max(nameless, known),
    hole: () => hole,
    again() {
      known = Math.max(nameless, known);
      nameless = 0;
    },
  };
}

/** The lines of the next batch. */
function createCollected<T, B>({ batch }: ListingKind<T, B>, batchSize: number) {
  const empty = () => ({
    items: [] as T[],
    rejected: [] as RejectedRecord[],
    gone: [] as GoneRecord[],
    length: 0,
  });
  const collected = {
    ...empty(),
    give(what: 'full' | 'rest', cursor: Cursor): B | null {
      const { items, rejected, gone, length } = collected;
      const count = items.length + rejected.length + gone.length;
      if (count === 0) return null;
      if (what === 'full' && count < batchSize && length < MOST_BATCH_LENGTH) return null;
      Object.assign(collected, empty());
      return batch(items, { rejected, gone, cursor });
    },
  };
  return collected;
}

/**
 * Takes all entries of a store, and gives the batches that they fill.
 *
 * @param of.where the place of an entry, for errors
 */
export async function* batchesOf<E, B>(
  intake: Intake<B>,
  groups: AsyncIterable<readonly E[]>,
  of: { lineOf: (entry: E) => Line | Tombstone; where: (entry: E) => string; stop: AbortSignal },
): AsyncGenerator<B> {
  for await (const group of groups) {
    for (const entry of group) {
      intake.take(of.lineOf(entry), () => of.where(entry));
      const batch = intake.give('full');
      if (batch === null) continue;
      of.stop.throwIfAborted();
      yield batch;
    }
  }
  const rest = intake.give('rest');
  if (rest !== null) yield rest;
}

function disorder(where: string): JobError {
  const fix = 'sort the listing by the bytes of the ids';
  return new JobError('failed', `${where}: ids must come in byte order, each once; ${fix}`);
}
