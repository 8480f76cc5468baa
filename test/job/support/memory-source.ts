/** A source in memory for tests of actions and sinks, with configurable records, evidence and faults. */

import { JobError } from '../../../src/job/job-error.ts';
import type {
  GoneRecord,
  IdBatch,
  RejectedRecord,
  Source,
  SourceBatch,
  SourceRecord,
} from '../../../src/job/sources/source.ts';

export type MemorySource = Source & {
  /** The records that it lists from now on. */
  put(records: readonly SourceRecord[]): void;
  records: SourceRecord[];
  rejected: RejectedRecord[];
  /** What it tells a delta as deleted; none of the records. */
  deleted: readonly GoneRecord[];
  complete: boolean;
  /** Fails after this many records. */
  breaksAfter: number;
  /** Ids that the re-check finds although they are not listed. */
  answers: Set<string>;
};

export function memorySource(records: readonly SourceRecord[] = []): MemorySource {
  const source: MemorySource = {
    shownAs: 'memory',
    lists: 'changes',
    records: inOrder(records),
    rejected: [],
    deleted: [],
    complete: true,
    breaksAfter: Infinity,
    answers: new Set(),
    put(next) {
      source.records = inOrder(next);
    },
    survey: async (since) => ({ total: told(since).length }),
    async *changedSince(since, from, batchSize): AsyncGenerator<SourceBatch> {
      const left = told(since).filter(({ id }) => from === null || bytes(id, from.after) > 0);
      let done = from?.done ?? 0;
      // A batch may consist of bad lines only.
      const least = from === null && source.rejected.length > 0 ? 1 : 0;
      for (let start = 0; start < Math.max(left.length, least); start += batchSize) {
        if (start >= source.breaksAfter) throw new JobError('sourceUnreachable', 'the source is away');
        const some = left.slice(start, start + batchSize);
        done += some.length;
        const gone = some.filter((one) => 'at' in one);
        yield {
          records: some.filter((one) => 'record' in one),
          ...(gone.length > 0 && { gone }),
          rejected: start === 0 ? source.rejected : [],
          cursor: { after: some.at(-1)?.id ?? '', done },
        };
      }
    },
    async *ids(batchSize): AsyncGenerator<IdBatch> {
      for await (const { records: some, rejected, cursor } of source.changedSince(null, null, batchSize)) {
        yield { ids: some.map(({ id }) => id), rejected, cursor };
      }
    },
    evidence: async () => ({
      complete: source.complete,
      words: source.complete ? 'all of it' : 'it does not say how many',
    }),
    stillThere: async (ids) => new Set(ids.filter((id) => source.answers.has(id))),
    clock: () => ({ earliest: new Date(), skewMs: 0 }),
  };
  const told = (since: Date | null): (SourceRecord | GoneRecord)[] => {
    if (since === null) return source.records;
    const isSince = (at: string): boolean => Date.parse(at) >= since.getTime();
    return inOrder([
      ...source.records.filter(({ updated_at: at }) => isSince(at)),
      ...source.deleted.filter(({ at }) => isSince(at)),
    ]);
  };
  return source;
}

function inOrder<T extends { readonly id: string }>(records: readonly T[]): T[] {
  return records.toSorted((a, b) => bytes(a.id, b.id));
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
