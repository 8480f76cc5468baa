/** Reads Parquet. Its footer, the last thing that a writer writes, tells columns and the number of rows. */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { IncompleteListingError, JobError } from '../../job-error.ts';
import { chooseColumns, type Column } from '../columns.ts';
import { composeId } from '../composed-id.ts';
import { type Duckdb, quoted } from './duckdb.ts';
import { createParquetValues } from './parquet-values.ts';
import type { Choice, FileRow, FileToRead } from './file-row.ts';
import { timeOf } from '../time-text.ts';

export async function* parquetRows(
  duckdb: Duckdb,
  { name, path }: FileToRead,
  choice: Choice,
): AsyncGenerator<readonly FileRow[]> {
  const values = createParquetValues(duckdb.library.DuckDBTypeId);
  // Its folder may have a name that looks like the partition of a table: `day=5`.
  const from = `read_parquet(${quoted(path)}, hive_partitioning = false)`;
  const found = await duckdb.columns(`SELECT * FROM ${from} LIMIT 0`);
  await refuseRenamed(duckdb, { name, path }, found);
  const columns = found.map(({ name: column, type }, at) => ({
    name: column,
    type: type.toString(),
    holds: values.isTime(type) ? ('time' as const) : ('other' as const),
    jsonType: type,
    at,
  }));
  type ParquetColumn = Column & { jsonType: DuckDBType; at: number };
  const chosen = chooseColumns<ParquetColumn>({ ...choice, place: name, mend: 'in the file' }, columns);
  const jsonOf = (row: readonly DuckDBValue[], { at, jsonType }: ParquetColumn): string =>
    values.json(row[at] ?? null, jsonType);
  let place = 0;
  for await (const group of duckdb.rows(`SELECT * FROM ${from}`)) {
    yield group.map((row) => {
      place += 1;
      return {
        id: composeId(chosen.id.map((column) => textOf(jsonOf(row, column)))),
        at: chosen.updatedAt === null ? null : timeIn(jsonOf(row, chosen.updatedAt)),
        record: `{${chosen.fields.map((field) => `${JSON.stringify(field.name)}:${jsonOf(row, field)}`).join(',')}}`,
        fault: null,
        place,
        counts: 'record' as const,
      };
    });
  }
  for await (const [row] of duckdb.rows(
    `SELECT sum(num_rows)::VARCHAR FROM parquet_file_metadata(${quoted(path)})`,
  )) {
    const [rows] = row ?? [];
    if (Number(rows) !== place)
      throw new IncompleteListingError(`DuckDB reads ${place} of the ${String(rows)} rows of ${name}`);
  }
}

/** DuckDB gives the second of two names that differ only by case another one. @throws JobError `notConfigured` */
async function refuseRenamed(
  duckdb: Duckdb,
  { name, path }: Pick<FileToRead, 'name' | 'path'>,
  columns: readonly { readonly name: string }[],
): Promise<void> {
  const own = new Set<unknown>();
  for await (const group of duckdb.rows(`SELECT name FROM parquet_schema(${quoted(path)})`))
    for (const [column] of group) own.add(column);
  const renamed = columns.find((column) => !own.has(column.name));
  if (renamed === undefined) return;
  const words = `${name} has two columns whose names differ at most by case, of which DuckDB names one ${renamed.name}`;
  throw new JobError('notConfigured', `${words}; give one of them another name in the file`);
}

/** A part of an id: a text without its quotes, anything else in its JSON form. */
function textOf(json: string): string | null {
  if (json === 'null') return null;
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function timeIn(json: string): string | null {
  const text = textOf(json);
  return text === null ? null : timeOf(text);
}
