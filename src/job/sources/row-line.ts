/** Writes a row as a line of source `ndjson`, so that one check (record-check.ts) serves every source. */
import { type Line, UnreadableLine } from './lines.ts';
import { laterOf, Tombstone } from './tombstone.ts';

export type Row = {
  readonly id: string;
  /** ISO 8601 in UTC; null without a column for it, or without a value in it. */
  readonly at: string | null;
  /** The fields as a JSON object. */
  readonly record: string;
  /** Of a row that is deleted: when, or empty; null or missing: it is not. */
  readonly deleted?: string | null;
  /** The reason why the row cannot be read as it is stored. */
  readonly fault?: string;
};

const MOST_LENGTH = 16 * 1024 * 1024;
const TOO_LONG = 'it is longer than 16 MiB; select fewer columns';

/** @param stamp the time of a record whose row does not tell when it changed; null if rows tell it */
export function recordLine({ id, at, record, fault }: Row, stamp: string | null): Line {
  const why = fault ?? (record.length > MOST_LENGTH ? TOO_LONG : null);
  if (why !== null) return new UnreadableLine(why, id === '' ? null : id);
  const fields = record.slice(0, -1);
  const more = fields === '{' ? '' : ',';
  return `${fields}${more}"id":${JSON.stringify(id)},"updated_at":${JSON.stringify(stamp ?? at)}}`;
}

/** The same for a row that may be deleted. */
export function recordOrGone(row: Row, stamp: string | null): Line | Tombstone {
  const { deleted = null } = row;
  return deleted === null ? recordLine(row, stamp) : new Tombstone(row.id, laterOf(row.at, deleted));
}

export function idLine(id: string): Line {
  return `{"id":${JSON.stringify(id)}}`;
}
