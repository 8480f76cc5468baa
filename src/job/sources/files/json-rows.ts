/** Reads NDJSON and arrays of JSON. DuckDB hands out the text of each object, so that no number or time changes its form. */
import { IncompleteListingError } from '../../job-error.ts';
import { reserved } from '../columns.ts';
import { composeId } from '../composed-id.ts';
import { BAD_LINE, fieldOf, parsedObject, textOf } from '../json-object.ts';
import { type Duckdb, quoted } from './duckdb.ts';
import type { Choice, FileRow, FileToRead } from './file-row.ts';
import { timeOf } from '../time-text.ts';

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
  const fields = text === null ? BAD_LINE : parsedObject(text);
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
