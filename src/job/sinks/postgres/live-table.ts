/** Inspects the live table, which belongs to the user, and creates it for the first sync. */
import { escapeIdentifier, type PoolClient } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import { JobError } from '../../job-error.ts';
import { type Places, quoted, type TableName } from './places.ts';
import { type ForeignKey, readForeignKeys } from './foreign-keys.ts';
import { refusePublished, refuseWithoutOwnership } from './may-migrate.ts';
import { type Migration, planMigration, shapeNow } from './plan-migration.ts';
import { definitionsOf, type Shape, shapeOf } from './shape.ts';
import { readStoredColumns } from './stored-columns.ts';
import { columnFault, readColumns } from './table-columns.ts';
import { encodingFault, readFacts, RIGHTS, structureFault } from './table-facts.ts';

export type LiveTable = {
  readonly name: TableName;
  /** Quoted, with its schema. */
  readonly quoted: string;
  /** null: the table does not exist yet; the first sync creates it. */
  readonly oid: number | null;
  readonly foreignKeys: readonly ForeignKey[];
  /** Names of triggers that may change written rows. */
  readonly triggers: readonly string[];
  readonly warnings: readonly string[];
  /** The columns that hold the records. */
  readonly shape: Shape;
  /** The change to the columns of SINK_COLUMNS, which a sync makes; null: they are those. */
  readonly migration: Migration | null;
};

/** Reads only the catalogue. @throws JobError `notConfigured` or `sinkPermission` for an unusable table */
export async function inspectLiveTable(
  client: PoolClient,
  places: Places,
  wanted: ColumnSettings,
): Promise<LiveTable> {
  const named =
    places.schema === null
      ? escapeIdentifier(places.table)
      : quoted({ schema: places.schema, table: places.table });
  const facts = await readFacts(client, named);
  if (!facts) return { ...(await absent(client, places)), shape: shapeOf(wanted) };
  const name = { schema: facts.schema, table: places.table };
  const found = await readColumns(client, facts.oid);
  const stored = await readStoredColumns(client, places, name);
  const shape = shapeNow({ found, stored, wanted });
  const why = structureFault(facts) ?? columnFault(found, shape, wanted);
  if (why !== null)
    throw new JobError('notConfigured', `SINK_TABLE=${places.shown} ${why}; nothing was touched`);
  const missing = RIGHTS.filter((right) => !facts.may[right]);
  if (missing.length > 0) {
    throw new JobError(
      'sinkPermission',
      `sink: the role may not ${missing.join(', ')} on ${places.shown}; run: ` +
        `GRANT ${missing.join(', ')} ON ${quoted(name)} TO ${escapeIdentifier(facts.role)}`,
    );
  }
  const planned = planMigration({ shown: places.shown, found, stored, wanted });
  // Another role's leftovers harm nobody.
  const migration = planned !== null && !facts.owns ? { ...planned, leftovers: [] } : planned;
  if (migration !== null && facts.published_whole !== null)
    refusePublished(quoted(name), facts.published_whole, migration);
  if (migration !== null && !facts.owns) refuseWithoutOwnership(quoted(name), migration);
  return {
    name,
    quoted: quoted(name),
    oid: facts.oid,
    shape,
    migration,
    foreignKeys: await readForeignKeys(client, facts.oid),
    triggers: await readTriggers(client, facts.oid),
    warnings:
      facts.persistence === 'u' ? [`${places.shown} is UNLOGGED: a crash of Postgres empties it`] : [],
  };
}

async function absent(client: PoolClient, places: Places): Promise<Omit<LiveTable, 'shape'>> {
  const { rows } = await client.query<{ schema: string | null; encoding: string; there: boolean }>(
    `SELECT coalesce($1, current_schema()) AS schema, current_setting('server_encoding') AS encoding,
       to_regnamespace(quote_ident(coalesce($1, current_schema()))) IS NOT NULL AS there`,
    [places.schema],
  );
  const { schema, encoding, there } = rows[0] ?? { schema: null, encoding: '', there: false };
  if (schema === null || !there) {
    const missing = places.schema ?? 'in the search_path of the role';
    throw new JobError(
      'notConfigured',
      `SINK_TABLE=${places.shown}: schema ${missing} does not exist; nothing was touched`,
    );
  }
  if (encoding !== 'UTF8')
    throw new JobError('notConfigured', `${encodingFault(encoding)}; nothing was touched`);
  const name = { schema, table: places.table };
  return {
    name,
    quoted: quoted(name),
    oid: null,
    foreignKeys: [],
    triggers: [],
    warnings: [],
    migration: null,
  };
}

/** Creates the table for the first sync. A tenth of each page stays free for updates (HOT). @returns its oid */
export async function createLiveTable(
  client: PoolClient,
  { quoted: name, shape }: LiveTable,
): Promise<number> {
  await client.query(
    `CREATE TABLE ${name} (id text PRIMARY KEY, updated_at timestamptz NOT NULL, ${definitionsOf(shape).join(', ')}) WITH (fillfactor = 90)`,
  );
  const { rows } = await client.query<{ oid: number }>('SELECT $1::regclass::oid AS oid', [name]);
  return rows[0]?.oid ?? 0;
}

async function readTriggers(client: PoolClient, oid: number): Promise<string[]> {
  // tgtype: bit 1 is "for each row", bit 2 "before". Only such triggers can change the written row.
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT tgname::text AS name FROM pg_trigger
     WHERE NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & 3) = 3
       AND tgrelid IN (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass) ORDER BY 1`,
    [oid],
  );
  return rows.map(({ name }) => name);
}
