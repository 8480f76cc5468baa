/** Writes a row of MySQL or MariaDB as JSON. */
import type { Column } from '../columns.ts';
import { jsonBytes } from '../json-values.ts';

/** A row as the driver gives it: long numbers, times and JSON as text, binary columns as bytes. */
export type Values = readonly unknown[];

export function jsonObject(columns: readonly Column[], values: Values): string {
  const fields = columns.map(
    ({ name, type }, at) => `${JSON.stringify(name)}:${jsonValue(values[at], type)}`,
  );
  return `{${fields.join(',')}}`;
}

function jsonValue(value: unknown, type: string): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Uint8Array) return jsonBytes(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  switch (type) {
    case 'DECIMAL':
    case 'BIGINT':
    case 'DOUBLE':
    case 'FLOAT':
      // ZEROFILL writes zeros that JSON does not allow.
      return value.replace(/^(-?)0+(?=\d)/, '$1');
    case 'JSON':
      return value;
    case 'TIMESTAMP':
      return JSON.stringify(`${value.replace(' ', 'T')}+00:00`);
    case 'DATETIME':
      return JSON.stringify(value.replace(' ', 'T'));
    default:
      return JSON.stringify(value);
  }
}
