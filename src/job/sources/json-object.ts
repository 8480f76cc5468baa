/** Parses JSON objects without changing their numbers, and takes fields from them. Pure. */
import { depthOf } from './record-depth.ts';
import { hasDelicateNumbers, NumberTooLong, parseExactly, rawNumber } from './record-number.ts';

export const BAD_LINE = 'it is not JSON in UTF-8; every record must be one JSON object';
/** The check of records refuses deeper ones, and says why. */
const MOST_PARSED_DEPTH = 1_000;

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object, or why there are none. */
export function parsedObject(text: string): Fields | string {
  const depth = depthOf(text);
  if (depth > MOST_PARSED_DEPTH) return `it is nested ${depth} levels deep; flatten it`;
  try {
    const value: unknown = hasDelicateNumbers(text) ? parseExactly(text) : JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    return 'it is not a JSON object';
  } catch (error) {
    if (error instanceof NumberTooLong) return 'one of its numbers has too many digits; send it as text';
    if (error instanceof SyntaxError) return BAD_LINE;
    throw error;
  }
}

export function fieldOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : null;
}

/** Texts, numbers with all their digits, and booleans can be a part of an id. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'object' && value !== null ? rawNumber(value) : null;
}
