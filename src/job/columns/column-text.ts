/** Writes a field as the text that Postgres reads into its column. Pure. */
import { rawNumber } from '../sources/record-number.ts';
import { type ColumnType, digitsOf } from './column-types.ts';

/** @param value fits the type @returns null for NULL */
export function textOf({ name }: ColumnType, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  switch (name) {
    case 'integer':
    case 'bigint':
      return digitsOf(value);
    case 'numeric':
      return numberText(value);
    case 'double precision': {
      const text = numberText(value);
      // A jsonb has no negative zero, so it would not come back from a change set.
      return Number(text) === 0 ? '0' : text;
    }
    case 'jsonb':
      return JSON.stringify(value);
    case 'text[]':
      return `{${(value as string[]).map(quoted).join(',')}}`;
    case 'text':
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'uuid':
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

function numberText(value: unknown): string | null {
  return typeof value === 'object' && value !== null ? rawNumber(value) : String(value);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
