/**
 * Reads CSV and TSV. Every value is a text: types guessed from the values would change with them, and with the types every
 * record.
 */
import { IncompleteListingError, JobError } from '../../job-error.ts';
import { chooseColumns, type Column } from '../columns.ts';
import { composeId } from '../composed-id.ts';
import { looksLikeNames } from './csv-header.ts';
import { type Duckdb, quoted } from './duckdb.ts';
import type { Choice, FileRow, FileToRead } from './file-row.ts';
import { timeOf } from '../time-text.ts';

const MOST_LINE_BYTES = 16 * 1024 * 1024;
/** More than MAX_REJECTED may be. */
const MOST_FAULTS = 1_001;
/** A line may have many. DuckDB leaves out, without a word, what is wrong beyond this number. */
const MOST_REASONS = 1_000_000;

const FAULTS: Readonly<Record<string, string>> = {
  'MISSING COLUMNS': 'it has fewer values than the header; complete the line',
  'TOO MANY COLUMNS': 'it has more values than the header; put values that hold the separator in quotes',
  'UNQUOTED VALUE': 'a quote stands within a value, or is never closed; write it twice within quotes',
  'INVALID ENCODING': 'it is not UTF-8; convert the file',
  'LINE SIZE OVER MAXIMUM': 'it is longer than 16 MiB; leave columns out',
};

type Value = string | null;

export async function* csvRows(
  duckdb: Duckdb,
  file: FileToRead,
  choice: Choice,
): AsyncGenerator<readonly FileRow[]> {
  const { name, scanned } = file;
  const { names, separator } = scanned.header ?? { names: [], separator: ',' };
  const unnamed = names.indexOf('');
  if (unnamed >= 0)
    throw new JobError(
      'notConfigured',
      `${name}: column ${unnamed + 1} of the header has no name; give it one`,
    );
  refuseRecord(name, names, choice);
  const columns = names.map((column, at) => ({ name: column, type: 'text', holds: 'time' as const, at }));
  const chosen = chooseColumns({ ...choice, place: name, mend: 'in the file' }, columns);
  const valueOf = (values: readonly Value[], { at }: Column & { at: number }): Value => values[at] ?? null;
  const keys = chosen.fields.map((field) => `${JSON.stringify(field.name)}:`);
  let count = 0;
  for await (const group of duckdb.rows(statement(file, names.length, separator)) as AsyncGenerator<
    Value[][]
  >) {
    const rows: FileRow[] = [];
    for (const values of group) {
      // A blank line of a file with one column.
      if (names.length === 1 && values[0] === null) continue;
      count += 1;
      const at = chosen.updatedAt === null ? null : valueOf(values, chosen.updatedAt);
      rows.push({
        id: composeId(chosen.id.map((column) => valueOf(values, column))),
        at: at === null ? null : timeOf(at),
        record: `{${chosen.fields.map((field, nth) => `${keys[nth]}${JSON.stringify(valueOf(values, field))}`).join(',')}}`,
        fault: null,
        place: count,
        counts: 'record',
      });
    }
    yield rows;
  }
  const faults = await faultyLines(duckdb, scanned.firstBroken ?? Infinity);
  if (faults.length > 0) yield faults;
  // So many bad lines fail the run.
  if (faults.length === MOST_FAULTS) return;
  const seen = count + faults.length;
  const records = scanned.records ?? 0;
  // With a quote within a value, the scan may take two bad lines for one.
  if (seen < records || (faults.length === 0 && seen > records))
    throw new IncompleteListingError(
      `DuckDB reads ${seen} of the ${records} records of ${name}; end its lines alike, with LF or CRLF`,
    );
}

/** A first line that is a record must not appear in an error, as the names of columns would. */
function refuseRecord(name: string, names: readonly string[], { id, updatedAt }: Choice): void {
  const wanted = updatedAt === null ? id : [...id, updatedAt];
  if (wanted.some((column) => names.includes(column)) || looksLikeNames(names)) return;
  const words = `the first line of ${name} has none of the columns ${wanted.join(', ')} and looks like a record`;
  throw new JobError(
    'notConfigured',
    `${words}; put a header line before it, or correct SOURCE_ID and SOURCE_UPDATED_AT`,
  );
}

function statement({ path, packing }: FileToRead, columns: number, separator: string): string {
  const names = Array.from({ length: columns }, (_, at) => `c${at}`);
  const options = [
    quoted(path),
    `columns = {${names.map((name) => `${name}: 'VARCHAR'`).join(', ')}}`,
    `delim = ${quoted(separator)}`,
    `compression = ${quoted(packing)}`,
    `max_line_size = ${MOST_LINE_BYTES}, buffer_size = ${2 * MOST_LINE_BYTES}`,
    `quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, null_padding = false`,
    'auto_detect = false, header = true, strict_mode = true, parallel = false',
    `store_rejects = true, rejects_limit = ${MOST_REASONS}`,
  ];
  return `SELECT ${names.join(', ')} FROM read_csv(${options.join(', ')})`;
}

/** The lines that DuckDB set aside while it read the last file. It counts one with line breaks in quotes once. */
async function faultyLines(duckdb: Duckdb, firstBroken: number): Promise<FileRow[]> {
  const faults: FileRow[] = [];
  const list = `SELECT line::VARCHAR, min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line LIMIT ${MOST_FAULTS}`;
  for await (const group of duckdb.rows(list) as AsyncGenerator<[string, string][]>) {
    for (const [line, type] of group) {
      const fault = FAULTS[type] ?? `DuckDB cannot read it (${type.toLowerCase()})`;
      const place = Number(line);
      const counts = place <= firstBroken ? 'line' : 'row';
      faults.push({ id: null, at: null, record: null, fault, place, counts });
    }
  }
  for (const table of ['reject_errors', 'reject_scans'])
    for await (const _ of duckdb.rows(`DROP TABLE ${table}`));
  return faults;
}
