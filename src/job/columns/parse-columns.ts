/** Parses a list of columns such as `name text, price numeric(10,2)`. Pure. */
import { ALLOWED_TYPES, type ColumnType, parseType } from './column-types.ts';

/** A column of the sink's table, which holds the field of the same name. */
export type Column = { readonly name: string; readonly type: ColumnType };

/** A list that cannot be followed. The message begins with a verb or the part of the list that it means. */
export class ColumnsFault extends Error {
  override readonly name = 'ColumnsFault';
}

/** Begins the names of columns that a sync has not filled yet. */
export const NEW_COLUMN = 'syncrator_new_';

/** Written by the sink itself. */
const OURS = ['id', 'updated_at', 'record'];
/** Columns that every table of Postgres has. */
const SYSTEM = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];
/** Limit of Postgres. */
const MOST_NAME_BYTES = 63;
/** Each makes the statements of a job longer. */
const MOST_COLUMNS = 200;

/** @throws ColumnsFault */
export function parseColumns(list: string): Column[] {
  const columns: Column[] = [];
  for (const part of splitList(list)) {
    const column = parseColumn(part);
    if (columns.some(({ name }) => name === column.name))
      throw new ColumnsFault(`names ${column.name} twice; keep one of them`);
    columns.push(column);
  }
  if (columns.length === 0) throw new ColumnsFault('holds no column; write a list such as name text');
  if (columns.length > MOST_COLUMNS)
    throw new ColumnsFault(`holds ${columns.length} columns, and at most ${MOST_COLUMNS} are allowed`);
  return columns;
}

/** @throws ColumnsFault */
export function parseNames(list: string): string[] {
  return splitList(list).map((part) => {
    const [, written = '', rest] = NAMED.exec(part) ?? [];
    if (written === '' || rest !== undefined)
      throw new ColumnsFault(`holds ${shown(part)}, which is not the name of a column`);
    return nameOf(written, part);
  });
}

/** A name, in quotes if it holds other signs than letters, digits and _; then the type. */
const NAMED = /^("(?:[^"]|"")*"|[^\s",()]+)(?:\s+(\S.*))?$/s;

function parseColumn(part: string): Column {
  const [, written, typed] = NAMED.exec(part) ?? [];
  if (written === undefined || typed === undefined)
    throw new ColumnsFault(`holds ${shown(part)}, which is not a name and a type; write it as name text`);
  const name = nameOf(written, part);
  const type = parseType(typed);
  if (type === null)
    throw new ColumnsFault(`gives ${shown(part)} a type that is not one of ${ALLOWED_TYPES}`);
  if (OURS.includes(name))
    throw new ColumnsFault(
      `names ${name}, a column that every sink has; remove it, or rename the field by FIELDS`,
    );
  if (SYSTEM.includes(name) || name.startsWith(NEW_COLUMN))
    throw new ColumnsFault(`names ${name}, which is reserved; rename the field by FIELDS`);
  return { name, type };
}

function nameOf(written: string, part: string): string {
  const isQuoted = written.startsWith('"');
  const name = isQuoted ? written.slice(1, -1).replaceAll('""', '"') : written;
  if (!isQuoted && !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
    throw new ColumnsFault(`holds ${shown(part)}, whose name has other signs; write "${name}"`);
  if (name === '' || /\p{Cc}/u.test(name) || !name.isWellFormed())
    throw new ColumnsFault(`holds ${shown(part)}, whose name is empty or has control characters`);
  if (Buffer.byteLength(name) > MOST_NAME_BYTES)
    throw new ColumnsFault(
      `holds ${shown(part)}, whose name has more than ${MOST_NAME_BYTES} bytes; rename the field by FIELDS`,
    );
  return name;
}

/** Splits at commas and line ends outside of quotes and brackets; empty parts go. */
function splitList(list: string): string[] {
  const parts = list.match(/(?:"(?:[^"]|"")*"|\([^()]*\)|[^,\n])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function shown(part: string): string {
  const line = part.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
