/** Reads the rows of `cities` byte for byte, and converts source records to the same form. */

import type { ClientBase } from 'pg';
import type { ColumnSettings } from '../../../src/job/columns/columns-settings.ts';
import { parseColumns } from '../../../src/job/columns/parse-columns.ts';
import type { SourceRecord } from '../../../src/job/sources/source.ts';

/** Id -> time and record. */
export type Rows = ReadonlyMap<string, string>;

/** How the table holds a record with only a name. */
export type Form = {
  readonly columns?: ColumnSettings;
  /** SQL of the text of a row. */
  readonly text: string;
  /** That text for a name. */
  readonly textOf: (name: string) => string;
  /** What another program writes: names of columns, and their values. */
  readonly written: (name: string) => { readonly columns: string; readonly values: string };
};

const jsonOf = (name: string): string => `{"name": ${JSON.stringify(name)}}`;
const NAME = parseColumns('name text');

export const IN_RECORD: Form = {
  text: 'record::text',
  textOf: jsonOf,
  written: (name) => ({ columns: 'record', values: `'${jsonOf(name)}'` }),
};
export const BESIDE_RECORD: Form = {
  columns: { list: NAME, keepsRecord: true, mayDrop: [] },
  text: `record::text || ' ' || coalesce(name, '-')`,
  textOf: (name) => `${jsonOf(name)} ${name}`,
  written: (name) => ({ columns: 'record, name', values: `'${jsonOf(name)}', '${name}'` }),
};
export const WITHOUT_RECORD: Form = {
  columns: { list: NAME, keepsRecord: false, mayDrop: [] },
  text: `coalesce(name, '-')`,
  textOf: (name) => name,
  written: (name) => ({ columns: 'name', values: `'${name}'` }),
};

export async function readRows(client: ClientBase, { text }: Form = IN_RECORD): Promise<Rows> {
  const { rows } = await client.query<{ id: string; text: string }>(
    `SELECT id, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || ${text} AS text
     FROM cities ORDER BY id COLLATE "C"`,
  );
  return new Map(rows.map(({ id, text }) => [id, text]));
}

/** A record with only a name. */
function rowOf({ updated_at: at, record }: SourceRecord, { textOf }: Form): string {
  return `${new Date(at).toISOString().replace('Z', '000Z')} ${textOf(String(record['name']))}`;
}

export function rowsOf(records: Iterable<SourceRecord>, form: Form = IN_RECORD): Rows {
  return new Map([...records].map((record) => [record.id, rowOf(record, form)]));
}

export function named(id: string, name: string, at = '2025-01-01T00:00:00.000Z'): SourceRecord {
  return { id, updated_at: at, record: { name } };
}

export function same(a: Rows, b: Rows): boolean {
  return a.size === b.size && [...a].every(([id, text]) => b.get(id) === text);
}

/** Describes the differing ids, for debugging. */
export function difference(is: Rows, owes: Rows): string {
  const lacks = [...owes.keys()].filter((id) => !is.has(id));
  const has = [...is.keys()].filter((id) => !owes.has(id));
  const other = [...is].filter(([id, text]) => owes.has(id) && owes.get(id) !== text).map(([id]) => id);
  return `lacks [${lacks.join(' ')}], has besides [${has.join(' ')}], otherwise [${other.join(' ')}]`;
}
