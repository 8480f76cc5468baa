/**
 * Converts a record into a Solr document: `id`, `updated_at_dt`, and its fields by their names. Texts, numbers,
 * booleans and lists of these are sent unchanged; nested values are sent as JSON text in `<name>_s`; nulls are
 * left out, as are `_version_` and `_root_`, which belong to another index. Pure.
 */
import { rawNumber } from '../../sources/record-number.ts';
import type { SourceRecord } from '../../sources/source.ts';

export const UPDATED_AT = 'updated_at_dt';
export const SOLRS_OWN: ReadonlySet<string> = new Set(['_version_', '_root_']);

export type Document = { readonly id: string } & Readonly<Record<string, unknown>>;

/** The reason why a record cannot become a document. */
export class UnfitRecord {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

export function documentOf({ id, updated_at, record }: SourceRecord): Document | UnfitRecord {
  // Solr stores times in UTC with milliseconds.
  const document: { id: string } & Record<string, unknown> = {
    id,
    [UPDATED_AT]: new Date(updated_at).toISOString(),
  };
  for (const [field, value] of Object.entries(record)) {
    if (value === null || value === undefined || SOLRS_OWN.has(field)) continue;
    const nested = !isFlat(value);
    const name = nested ? `${field}_s` : field;
    if (Object.hasOwn(document, name) || (nested && Object.hasOwn(record, name))) {
      return new UnfitRecord(
        `it has two values for the field ${name.slice(0, 100)}; rename one in the source`,
      );
    }
    document[name] = nested ? JSON.stringify(value) : value;
  }
  return document;
}

function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isScalar) : isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || (value !== null && rawNumber(value) !== null);
}
