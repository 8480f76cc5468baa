/** Writes a row of SQLite as JSON: each value as it is stored, since SQLite has no other types. */
import type { SQLOutputValue } from 'node:sqlite';
import { jsonBytes, jsonNumber } from '../json-values.ts';

export function jsonObject(names: readonly string[], values: readonly SQLOutputValue[]): string {
  return `{${names.map((name, at) => `${JSON.stringify(name)}:${jsonValue(values[at] ?? null)}`).join(',')}}`;
}

function jsonValue(value: SQLOutputValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return jsonNumber(value);
  return value instanceof Uint8Array ? jsonBytes(value) : JSON.stringify(value);
}
