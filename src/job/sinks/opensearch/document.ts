/**
 * Converts a record into a document: its fields unchanged, with `id` and `updated_at` (UTC, in milliseconds) beside
 * them. Pure.
 */
import type { SourceRecord } from '../../sources/source.ts';

/** The limit of `_id`, which the servers have for every index. */
const MOST_ID_BYTES = 512;

export type Document = Readonly<Record<string, unknown>>;

/** @returns the reason why the record cannot become a document; null if it can */
export function unfitReason({ id }: Pick<SourceRecord, 'id'>): string | null {
  const bytes = Buffer.byteLength(id);
  if (bytes <= MOST_ID_BYTES) return null;
  return `its id has ${bytes} bytes, and an index takes at most ${MOST_ID_BYTES}; use a shorter one`;
}

export function documentOf({ id, updated_at: at, record }: SourceRecord): Document {
  return { ...record, id, updated_at: new Date(at).toISOString() };
}
