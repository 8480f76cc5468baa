/** Reads NDJSON and arrays of JSON. DuckDB hands out the text of each object, so that no number or time changes its form. */
import { IncompleteListingError } from '../../job-error.ts';
import { reserved } from '../columns.ts';
import { composeId } from '../composed-id.ts';
import { depthOf } from '../record-depth.ts';
import { hasDelicateNumbers, NumberTooLong, parseExactly, rawNumber } from '../record-number.ts';
import { type Duckdb, quoted } from './duckdb.ts';
import type { Choice, FileRow, FileToRead } from './file-row.ts';
import { timeOf } from './time-text.ts';

const BAD_LINE = 'it is not JSON in UTF-8; every record must be one JSON object';
/** The check of records refuses deeper ones, and says why. */
const MOST_PARSED_DEPTH = 1_000;

type Fields = Readonly<Record<string, unknown>>;

export async function* jsonRows(
  duckdb: Duckdb,
  file: FileToRead,
  { format, choice }: { format: 'json' | 'ndjson'; choice: Choice },
): AsyncGenerator<readonly FileRow[]> {
  const { name, path, packing, scanned } = file;
  const options = [
    quoted(path),
    `format = '${format === 'json' ? 'array' : 'newline_delimited'}'`,
    `compression = '${packing === 'none' ? 'uncompressed' : packing}'`,
    // A bad line becomes NULL. In an array nothing tells where the next object begins.
    `ignore_errors = ${format === 'ndjson'}`,
  ];
  const sql = `SELECT json::VARCHAR FROM read_json_objects(${options.join(', ')})`;
  let place = 0;
  for await (const group of duckdb.rows(sql) as AsyncGenerator<[string | null][]>) {
    yield group.map(([text]) => {
      place += 1;
      return { ...rowOf(text, name, choice), place, counts: 'record' as const };
    });
  }
  if (scanned.records !== null && place !== scanned.records)
    throw new IncompleteListingError(
      `DuckDB reads ${place} of the ${scanned.records} lines of ${name}; end each with LF`,
    );
}

function rowOf(
  text: string | null,
  place: string,
  { id, updatedAt }: Choice,
): Omit<FileRow, 'place' | 'counts'> {
  const fields = text === null ? BAD_LINE : parsed(text);
  if (text === null || typeof fields === 'string')
    return { id: null, at: null, record: null, fault: typeof fields === 'string' ? fields : BAD_LINE };
  for (const name of ['id', 'updated_at'] as const) {
    const used = name === 'id' ? id.length === 1 && id[0] === name : updatedAt === name;
    if (!used && Object.hasOwn(fields, name)) throw reserved(name, { place, mend: 'in the file' });
  }
  const at = updatedAt === null ? null : fieldOf(fields, updatedAt);
  return {
    id: composeId(id.map((name) => textOf(fieldOf(fields, name)))),
    at: typeof at === 'string' ? timeOf(at) : null,
    record: text.trim(),
    fault: null,
  };
}

/** The fields of an object, or why there are none. */
function parsed(text: string): Fields | string {
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

function fieldOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : null;
}

/** Texts, numbers with all their digits, and booleans can be a part of an id. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'object' && value !== null ? rawNumber(value) : null;
}
