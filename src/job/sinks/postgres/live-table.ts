/**
 * Inspects the live table, which belongs to the user: its existence, structure, rights, foreign keys and
 * triggers.
 */
import { escapeIdentifier, type PoolClient } from 'pg';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import { JobError } from '../../job-error.ts';
import { type Places, quoted, type TableName } from './places.ts';
import { type FoundColumn, type Migration, planMigration, shapeNow } from './plan-migration.ts';
import { definitionsOf, type Shape, shapeOf } from './shape.ts';
import { readStoredColumns } from './stored-columns.ts';

export type ForeignKey = {
  readonly name: string;
  /** Quoted, with its schema. */
  readonly from: string;
  readonly columns: readonly string[];
  /** Referenced columns of the live table. */
  readonly references: readonly string[];
  /** Effect of a removal: refused by the foreign key, or it changes rows that no rollback restores. */
  readonly onDelete: 'refuses' | 'changes';
};

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

const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

type Facts = {
  oid: number;
  schema: string;
  kind: string;
  persistence: string;
  replica_identity: string;
  encoding: string;
  role: string;
  has_children: boolean;
  has_rules: boolean;
  id_is_unique: boolean;
  may: Record<(typeof RIGHTS)[number], boolean>;
  published: string | null;
  has_primary_key: boolean;
  owns: boolean;
  /** Publications that would publish a new column. */
  published_whole: string | null;
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
  const { rows } = await client.query<Facts>(FACTS, [named]);
  const facts = rows[0];
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

function structureFault(facts: Facts): string | null {
  if (facts.encoding !== 'UTF8') return `lies in a database: ${encodingFault(facts.encoding)}`;
  const kinds: Readonly<Record<string, string>> = {
    v: 'a view',
    m: 'a materialized view',
    f: 'a foreign table',
    S: 'a sequence',
    c: 'a type',
    i: 'an index',
  };
  if (!['r', 'p'].includes(facts.kind))
    return `is ${kinds[facts.kind] ?? 'not a table'}; name a table instead`;
  if (facts.persistence === 't') return 'is a temporary table';
  if (facts.has_children) return 'has tables that inherit from it; name a plain or a partitioned table';
  if (facts.has_rules) return 'has rules, which rewrite statements; drop them or name another table';
  if (!facts.id_is_unique)
    return 'has no unique index on id alone; run CREATE UNIQUE INDEX ON it (id), without WHERE and not DEFERRABLE';
  const identified =
    facts.replica_identity === 'f' ||
    facts.replica_identity === 'i' ||
    (facts.replica_identity === 'd' && facts.has_primary_key);
  if (facts.published !== null && !identified)
    return `is published by ${facts.published} and has no replica identity, so Postgres refuses changes; run ALTER TABLE it ADD PRIMARY KEY (id), or REPLICA IDENTITY FULL`;
  return null;
}

function encodingFault(encoding: string): string {
  return `the database of SINK_URL has the encoding ${encoding}, but records need UTF8`;
}

type TableColumn = FoundColumn & { readonly deterministic: boolean; readonly mandatory: boolean };

async function readColumns(client: PoolClient, oid: number): Promise<TableColumn[]> {
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
function columnFault(
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

/** Only the owner of a table may change its columns. */
function refuseWithoutOwnership(table: string, migration: Migration): void {
  const parts = partsOf(migration);
  if (parts.length === 0) return;
  throw new JobError(
    'sinkPermission',
    `sink: only the owner of ${table} may change its columns; run as the owner: ALTER TABLE ${table} ${parts.join(', ')}`,
  );
}

/**
 * A sync fills new columns under names of their own, and its changes reach subscribers under these: one that lacks them
 * stops for good.
 */
function refusePublished(table: string, published: string, migration: Migration): void {
  if (migration.added.length === 0) return;
  throw new JobError(
    'notConfigured',
    `${table} is published by ${published}, and a subscriber stops at a column that it lacks, so its owner adds the columns; ` +
      `run at each subscriber, and then here: ALTER TABLE ${table} ${partsOf(migration).join(', ')}. Then a sync fills them. ` +
      'Nothing was touched',
  );
}

function partsOf({ added, dropped }: Migration): string[] {
  return [
    ...dropped.map((name) => `DROP COLUMN ${escapeIdentifier(name)}`),
    ...added.map(({ name, type }) => `ADD COLUMN ${escapeIdentifier(name)} ${type}`),
  ];
}

async function readForeignKeys(client: PoolClient, oid: number): Promise<ForeignKey[]> {
  const { rows } = await client.query<{
    name: string;
    from: string;
    columns: string[];
    references: string[];
    on_delete: string;
    may: boolean;
    role: string;
  }>(
    `SELECT conname AS name, conrelid::regclass::text AS "from", confdeltype AS on_delete,
       has_table_privilege(conrelid, 'SELECT') AS may, current_user AS role,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (n, nth) JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY nth) AS columns,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k (n, nth) JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY nth) AS "references"
     FROM pg_constraint WHERE contype = 'f' AND confrelid = $1 AND conparentid = 0 ORDER BY conname`,
    [oid],
  );
  const hidden = rows.find(({ may }) => !may);
  if (hidden) {
    throw new JobError(
      'sinkPermission',
      `sink: ${hidden.from} refers to the sink's table by ${hidden.name}, and the role may not read it; run: ` +
        `GRANT SELECT ON ${hidden.from} TO ${escapeIdentifier(hidden.role)}`,
    );
  }
  return rows.map(({ name, from, columns, references, on_delete: action }) => ({
    name,
    from,
    columns,
    references,
    onDelete: action === 'a' || action === 'r' ? 'refuses' : 'changes',
  }));
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

const FACTS = `
  SELECT c.oid, n.nspname AS schema, c.relkind AS kind, c.relpersistence AS persistence,
    c.relreplident AS replica_identity, current_setting('server_encoding') AS encoding, current_user AS role,
    c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
    EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN') AS has_rules,
    EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
        AND i.indexprs IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS id_is_unique,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_primary_key,
    jsonb_build_object('SELECT', has_table_privilege(c.oid, 'SELECT'), 'INSERT', has_table_privilege(c.oid, 'INSERT'),
      'UPDATE', has_table_privilege(c.oid, 'UPDATE'), 'DELETE', has_table_privilege(c.oid, 'DELETE')) AS may,
    pg_has_role(c.relowner, 'USAGE') AS owns,
    (SELECT string_agg(p.pubname, ', ' ORDER BY p.pubname) FROM pg_publication p
      JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname
      WHERE p.pubupdate OR p.pubdelete) AS published,
    (SELECT string_agg(DISTINCT p.pubname, ', ') FROM pg_publication p
      JOIN pg_publication_tables t ON t.pubname = p.pubname
      JOIN pg_namespace pn ON pn.nspname = t.schemaname JOIN pg_class pc ON pc.relnamespace = pn.oid AND pc.relname = t.tablename
      LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid IN (pc.oid, c.oid)
      WHERE (p.pubinsert OR p.pubupdate OR p.pubdelete) AND r.prattrs IS NULL
        AND (pc.oid = c.oid OR pc.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))) AS published_whole
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`;
