/**
 * How a record becomes a Solr document: `id`, `updated_at_dt`, and its own fields by their own names. Texts, numbers,
 * yes or no, and lists of these are sent as they are; what is nested goes as JSON text into `<name>_s`; what is null
 * is absent. `_version_` and `_root_` of another index mean nothing in ours and are left out. Pure.
 */

import { JobError } from '../../job-error.ts';
import type { SourceRecord } from '../../sources/source.ts';

export const UPDATED_AT = 'updated_at_dt';
const SOLRS_OWN: ReadonlySet<string> = new Set(['_version_', '_root_']);

export function documentOf({ id, updated_at, record }: SourceRecord): Record<string, unknown> {
  // Solr knows times of UTC alone, to the millisecond.
  const document: Record<string, unknown> = { id, [UPDATED_AT]: new Date(updated_at).toISOString() };
  for (const [field, value] of Object.entries(record)) {
    if (value === null || value === undefined || SOLRS_OWN.has(field)) continue;
    const nested = !isFlat(value);
    const name = nested ? `${field}_s` : field;
    if (Object.hasOwn(document, name) || (nested && Object.hasOwn(record, name))) {
      throw new JobError('failed', `sink: record ${id} has two values for the field ${name}`);
    }
    document[name] = nested ? JSON.stringify(value) : value;
  }
  return document;
}

/** The newest of each id, in the order of their ids' first appearance. */
export function newestOfEach(records: readonly SourceRecord[]): readonly SourceRecord[] {
  const newest = new Map<string, SourceRecord>();
  for (const record of records) {
    const other = newest.get(record.id);
    if (!other || Date.parse(record.updated_at) >= Date.parse(other.updated_at))
      newest.set(record.id, record);
  }
  return newest.size === records.length ? records : [...newest.values()];
}

function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isScalar) : isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || (value !== null && isRawNumber(value));
}

/** A number too long for JavaScript (src/job/sources/ndjson-line.ts keeps its digits); JSON.stringify writes it as it was. */
function isRawNumber(value: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
