/** Recognises messages among the lines that a connector writes. Both protocols write one JSON object per line. Pure. */
import { type Fields, parsedObject, textOf } from '../json-object.ts';
import type { Line } from '../lines.ts';

export type Heard =
  | { readonly kind: 'message'; readonly type: string; readonly fields: Fields }
  /** Text that is no message, such as a print of a library. */
  | { readonly kind: 'text'; readonly text: string }
  /** It may have been a record. */
  | { readonly kind: 'broken'; readonly why: string };

export function heardIn(line: Line): Heard {
  if (typeof line !== 'string') return { kind: 'broken', why: line.why };
  const text = line.trim();
  // Two threads that print at once can put a text before a record.
  if (!text.startsWith('{') && !text.includes('"RECORD"')) return { kind: 'text', text };
  const fields = parsedObject(text);
  if (typeof fields === 'string') return { kind: 'broken', why: fields };
  const { type } = fields;
  return typeof type === 'string' ? { kind: 'message', type, fields } : { kind: 'text', text };
}

/** The object in a field; empty for any other value. */
export function within(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** null for a missing or empty one. */
export function textIn(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The number in a field, also one that keeps its digits, such as `5.0`; null for any other value. */
export function numberIn(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === 'string' || typeof value === 'boolean' || textOf(value) === null
    ? null
    : Number(textOf(value));
}

/** A value as a text for the log. */
export function shownIn(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Objects in a list; anything else in it is left out. */
export function objectsIn(fields: Fields, name: string): readonly Fields[] {
  return listIn(fields, name).filter(
    (value): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
}

export function listIn(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : [];
}
