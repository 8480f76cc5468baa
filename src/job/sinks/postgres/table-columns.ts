/** Reads the columns of the live table, and tells why they cannot hold the records. */
import type { PoolClient } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import type { FoundColumn } from './plan-migration.ts';
import type { Shape } from './shape.ts';

type TableColumn = FoundColumn & { readonly deterministic: boolean; readonly mandatory: boolean };

export async function readColumns(client: PoolClient, oid: number): Promise<TableColumn[]> {
  const { rows } = await client.query<TableColumn>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, coalesce(collisdeterministic, true) AS deterministic,
       attnotnull AND NOT atthasdef AND attidentity = '' AND attgenerated = '' AS mandatory,
       attnotnull AS filled, attidentity <> '' OR attgenerated <> '' AS generated,
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = attrelid AND d.refobjsubid = attnum
           AND (d.deptype = 'n' OR d.classid = 'pg_constraint'::regclass
             AND (SELECT contype IN ('c', 'f') FROM pg_constraint WHERE oid = d.objid)) ORDER BY 1) AS "usedBy"
     FROM pg_attribute LEFT JOIN pg_collation c ON c.oid = attcollation
     WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid],
  );
  return rows;
}

/** Describes a missing or mistyped column, or a mandatory column that we do not fill; null if all fit. */
export function columnFault(
  found: readonly TableColumn[],
  { record, columns }: Shape,
  { list }: ColumnSettings,
): string | null {
  const needed: Record<string, string> = { id: 'text', updated_at: 'timestamp with time zone' };
  if (record !== null) needed[record] = 'jsonb';
  const has = new Map(found.map((column) => [column.name, column]));
  for (const [name, type] of Object.entries(needed)) {
    const column = has.get(name);
    if (!column) return `has no column ${name} ${type}, only ${found.map((one) => one.name).join(', ')}`;
    if (column.type !== type) return `has the column ${name} of type ${column.type}; it must be ${type}`;
  }
  if (has.get('id')?.deterministic === false)
    return 'has an id with a nondeterministic collation; use a deterministic one';
  const filled = new Set([...Object.keys(needed), ...[...columns, ...list].map(({ name }) => name)]);
  const strange = found
    .filter(({ name, mandatory }) => mandatory && !filled.has(name))
    .map(({ name }) => name);
  if (strange.length > 0)
    return `has mandatory columns that Syncrator does not fill (${strange.join(', ')}); give them a default or allow null`;
  return null;
}
