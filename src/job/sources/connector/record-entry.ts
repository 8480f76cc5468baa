/** Makes a record of a connector an entry of the store. Pure. */
import { composeId } from '../composed-id.ts';
import type { Entry } from '../entry-store.ts';
import { type Fields, fieldOf, textOf } from '../json-object.ts';
import { UnreadableLine } from '../lines.ts';
import { recordLine } from '../row-line.ts';
import { timeOf } from '../time-text.ts';

export type Choice = {
  /** Paths of the fields that make the id. */
  readonly key: readonly (readonly string[])[];
  readonly updatedAt: string | null;
  /** The time of records that do not tell when they changed; null if they tell it. */
  readonly stamp: string | null;
};

/** @param place its number in the stream */
export function entryOf(data: Fields, { key, updatedAt, stamp }: Choice, place: number): Entry {
  const id = composeId(key.map((path) => textOf(valueAt(data, path)))) ?? '';
  const told = updatedAt === null ? null : fieldOf(data, updatedAt);
  const at = typeof told === 'string' ? timeOf(told) : null;
  const record = withFreeNames(data, {
    id: key.length === 1 && key[0]?.join('.') === 'id',
    updated_at: updatedAt === 'updated_at',
  });
  const line =
    record === null
      ? new UnreadableLine(
          'it has a field id or updated_at, and the same name with _ at its end',
          id === '' ? null : id,
        )
      : recordLine({ id, at, record: JSON.stringify(record) }, stamp);
  return { id, stamp: '', line, place };
}

/** The fields by which connectors that read the log of a database say that a record is deleted. */
const DELETED = ['_ab_cdc_deleted_at', '_sdc_deleted_at'] as const;

const NOT_DELETED: ReadonlySet<unknown> = new Set([null, undefined, '', false]);

export function isDeleted(data: Fields): boolean {
  return DELETED.some((name) => !NOT_DELETED.has(fieldOf(data, name)));
}

function valueAt(data: Fields, path: readonly string[]): unknown {
  let value: unknown = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    value = fieldOf(value as Fields, name);
  }
  return value;
}

/**
 * Every record has fields `id` and `updated_at`. A field of the source that has one of these names, and is not the one that
 * the settings name, gets a `_` at its end. @returns null if that name is taken, too
 */
function withFreeNames(
  data: Fields,
  used: { readonly id: boolean; readonly updated_at: boolean },
): Fields | null {
  let free = data;
  for (const name of ['id', 'updated_at'] as const) {
    if (used[name] || !Object.hasOwn(free, name)) continue;
    if (Object.hasOwn(free, `${name}_`)) return null;
    const { [name]: value, ...rest } = free;
    free = { ...rest, [`${name}_`]: value };
  }
  return free;
}
