/** Reads the rows of `cities` byte for byte, and converts source records to the same form. */

import type { ClientBase } from 'pg';
import type { SourceRecord } from '../../../src/job/sources/source.ts';

/** Id -> time and record. */
export type Rows = ReadonlyMap<string, string>;

export async function readRows(client: ClientBase): Promise<Rows> {
  const { rows } = await client.query<{ id: string; text: string }>(
    `SELECT id, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || record::text AS text
     FROM cities ORDER BY id COLLATE "C"`,
  );
  return new Map(rows.map(({ id, text }) => [id, text]));
}

/** A record with only a name. */
function rowOf({ updated_at: at, record }: SourceRecord): string {
  return `${new Date(at).toISOString().replace('Z', '000Z')} {"name": ${JSON.stringify(record['name'])}}`;
}

export function rowsOf(records: Iterable<SourceRecord>): Rows {
  return new Map([...records].map((record) => [record.id, rowOf(record)]));
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
