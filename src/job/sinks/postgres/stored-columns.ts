/** Stores which columns of a live table hold fields, so that a later run knows what an earlier one wrote. */
import type { PoolClient } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import type { Places, TableName } from './places.ts';

export type StoredColumns = {
  /** A sync or an item bank has written the table. */
  readonly synced: boolean;
  /** null: the table had no columns of fields so far. */
  readonly list: { readonly names: readonly string[]; readonly keepsRecord: boolean } | null;
};

/** Also without our schema. */
export async function readStoredColumns(
  client: PoolClient,
  places: Places,
  name: TableName,
): Promise<StoredColumns> {
  const { rows: there } = await client.query<{ sinks: boolean; columns: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS sinks, to_regclass($2) IS NOT NULL AS columns',
    [places.sinks, places.sinkColumns],
  );
  if (there[0]?.sinks !== true) return { synced: false, list: null };
  const none = 'CROSS JOIN (SELECT NULL::text[] AS columns, NULL::boolean AS keeps_record) c';
  const { rows } = await client.query<{
    synced: boolean;
    columns: string[] | null;
    keeps_record: boolean | null;
  }>(
    `SELECT s.synced, c.columns, c.keeps_record FROM ${places.sinks} s
       ${there[0].columns ? `LEFT JOIN ${places.sinkColumns} c ON c.sink = s.id` : none}
     WHERE s.table_schema = $1 AND s.table_name = $2`,
    [name.schema, name.table],
  );
  const row = rows[0];
  const list = row?.columns ? { names: row.columns, keepsRecord: row.keeps_record === true } : null;
  return { synced: row?.synced === true, list };
}

/** In the transaction that fills them. */
export async function storeColumns(
  client: PoolClient,
  { places, sinkId }: { readonly places: Places; readonly sinkId: number },
  { list, keepsRecord }: ColumnSettings,
): Promise<void> {
  if (list.length > 0) {
    await client.query(
      `INSERT INTO ${places.sinkColumns} (sink, columns, keeps_record) VALUES ($1, $2, $3)
       ON CONFLICT (sink) DO UPDATE SET columns = excluded.columns, keeps_record = excluded.keeps_record`,
      [sinkId, list.map(({ name }) => name), keepsRecord],
    );
    return;
  }
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    places.sinkColumns,
  ]);
  if (rows[0]?.there === true)
    await client.query(`DELETE FROM ${places.sinkColumns} WHERE sink = $1`, [sinkId]);
}
