/** A line of a listing that says: the source has deleted this record. */
import { checkId, RecordFault } from './record-check.ts';
import { normalTime } from './record-time.ts';
import type { GoneRecord } from './source.ts';

export class Tombstone {
  readonly id: string;
  /** When, as the source says it. */
  readonly at: string;

  constructor(id: string, at: string) {
    this.id = id;
    this.at = at;
  }
}

/** @returns null if no record can have this id, or its time is not readable: then it proves nothing */
export function goneRecordOf({ id, at }: Tombstone): GoneRecord | null {
  const time = normalTime(at);
  return time === null || checkId(JSON.stringify({ id })) instanceof RecordFault ? null : { id, at: time };
}

/** The later of two times in UTC, of which each may be missing. */
export function laterOf(one: string | null, other: string | null): string {
  const [a, b] = [Date.parse(one ?? ''), Date.parse(other ?? '')];
  if (Number.isNaN(b)) return one ?? '';
  if (Number.isNaN(a) || b > a) return other ?? '';
  // Equal in milliseconds: the text of one dialect shows the microseconds in the same form.
  return a > b || (one ?? '') > (other ?? '') ? (one ?? '') : (other ?? '');
}
