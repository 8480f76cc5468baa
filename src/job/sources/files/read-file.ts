/** Reads the rows of one file with DuckDB, each as what a record needs. */
import { csvRows } from './csv-rows.ts';
import type { Duckdb } from './duckdb.ts';
import type { Choice, FileRow, FileToRead } from './file-row.ts';
import type { FileFormat } from './format.ts';
import { jsonRows } from './json-rows.ts';
import { parquetRows } from './parquet-rows.ts';

/** @throws JobError, IncompleteListingError, and the errors of DuckDB */
export function readFile(
  duckdb: Duckdb,
  file: FileToRead,
  { format, choice }: { format: FileFormat; choice: Choice },
): AsyncGenerator<readonly FileRow[]> {
  if (format === 'parquet') return parquetRows(duckdb, file, choice);
  if (format === 'json' || format === 'ndjson') return jsonRows(duckdb, file, { format, choice });
  return csvRows(duckdb, file, choice);
}
