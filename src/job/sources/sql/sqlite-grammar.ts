/** Writes the parts of statements for SQLite. */
import { composedId } from '../composed-id.ts';
import type { Grammar } from './dialect.ts';

/** A function of ours that ends a statement whose time is over. */
export const DEADLINE = 'syncrator_deadline';

export const GRAMMAR: Grammar = {
  name: quoted,
  text: (text) => `'${text.replaceAll("'", "''")}'`,
  id: (columns) =>
    composedId(
      columns.map(({ name }) => idText(`q.${quoted(name)}`)),
      (parts) => parts.join(` || '|' || `),
    ),
  bytes: (text) => `(${text}) COLLATE BINARY`,
  changedSince: ({ name }, since) => `${timeOf(`q.${quoted(name)}`)} >= '${since.toISOString()}'`,
  always: [`${DEADLINE}()`],
};

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Bytes in the form that they have in records. */
function idText(column: string): string {
  return `CASE typeof(${column}) WHEN 'blob' THEN '\\x' || lower(hex(${column})) ELSE CAST(${column} AS TEXT) END`;
}

/** Of a text, or of seconds or milliseconds since 1970; null for anything else. */
export function timeOf(column: string): string {
  const milliseconds = `typeof(${column}) = 'integer' AND ${column} > 99999999999`;
  return `strftime('%Y-%m-%dT%H:%M:%fZ', CASE WHEN ${milliseconds} THEN ${column} / 1000.0 ELSE ${column} END, 'auto')`;
}

/** Whether a text holds U+FFFD as it is stored; 0 for NULL. */
export function isReplacement(text: string): string {
  return `ifnull(instr(${text}, char(65533)), 0) > 0`;
}
