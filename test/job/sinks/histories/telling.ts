/** What a source tells of what it has: the truth, or a lie. Pure. */
import type { GoneRecord, SourceRecord } from '../../../../src/job/sources/source.ts';
import { type Rows, rowsOf } from '../../support/live-rows.ts';
import type { Lie } from './chapters.ts';

export type Truth = {
  readonly records: readonly SourceRecord[];
  /** What it has had, and tells a delta. */
  readonly deleted: readonly GoneRecord[];
};

export type Telling = Truth & {
  readonly complete: boolean;
  /** Fails after this many records. */
  readonly breaksAfter: number;
  /** What it has if it is asked by id. */
  readonly answers: ReadonlySet<string>;
};

export function tell(
  { records, deleted }: Truth,
  lie: Exclude<Lie, { kind: 'still' }>,
  now: string,
): Telling {
  const there = idsOf(records);
  const truth = { records, deleted, complete: true, breaksAfter: Infinity, answers: there };
  const without = (shares: readonly number[]): { left: SourceRecord[]; gone: Set<string> } => {
    const gone = new Set(shares.map((share) => records[Math.floor(share * records.length)]?.id ?? ''));
    return { left: records.filter(({ id }) => !gone.has(id)), gone };
  };
  const listing = (left: readonly SourceRecord[], { answers }: { answers: boolean }): Telling => ({
    ...truth,
    records: left,
    answers: answers ? there : idsOf(left),
  });
  switch (lie.kind) {
    case 'honest':
      return truth;
    case 'empty':
      return { ...listing([], lie), deleted: [] };
    case 'half':
      return listing(records.slice(0, Math.floor(records.length / 2)), lie);
    case 'cut':
      return { ...truth, records: records.slice(0, Math.ceil(lie.keeps * records.length)), complete: false };
    case 'breaks':
      return { ...truth, breaksAfter: Math.floor(lie.after * records.length) };
    case 'hidden':
      return listing(without(lie.ids).left, lie);
    case 'deletions': {
      const { left, gone } = without(lie.ids);
      const untrue = [...gone].map((id) => ({ id, at: now }));
      return { ...listing(left, lie), deleted: [...deleted, ...untrue] };
    }
  }
}

/** What one run was told. */
export type Told = {
  readonly rows: Rows;
  readonly gone: readonly GoneRecord[];
  readonly complete: boolean;
  readonly breaks: boolean;
  readonly answers: ReadonlySet<string>;
  /** Its survey counted no record. */
  readonly empty: boolean;
};

/**
 * @param of.since null: it lists everything, and tells no deletion
 * @param of.resumed the last id of an earlier attempt, and what that attempt was told
 */
export function toldBy(
  telling: Telling,
  of: { since: Date | null; batchSize: number; resumed: { after: string; before: Telling | null } | null },
): Told {
  const { since, batchSize, resumed } = of;
  const isSince = (at: string): boolean => since === null || Date.parse(at) >= since.getTime();
  const listed = telling.records.filter(({ updated_at: at }) => isSince(at));
  const told = since === null ? [] : telling.deleted.filter(({ at }) => isSince(at));
  const isLeft = ({ id }: { id: string }): boolean => resumed === null || id > resumed.after;
  const left = listed.filter(isLeft);
  const earlier = (resumed?.before?.records ?? []).filter((record) => !isLeft(record));
  const batches = Math.ceil((left.length + told.filter(isLeft).length) / batchSize);
  return {
    rows: rowsOf([...earlier, ...left]),
    gone: told.filter(isLeft),
    complete: telling.complete,
    breaks: (batches - 1) * batchSize >= telling.breaksAfter,
    answers: telling.answers,
    empty: telling.records.length === 0,
  };
}

function idsOf(records: readonly SourceRecord[]): Set<string> {
  return new Set(records.map(({ id }) => id));
}
