/** The three tables of an account, compatible with those of its predecessor soukosync. */
import { escapeIdentifier, type PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';

export const USER_FIELDS = ['username', 'email', 'employee_id', 'first_name', 'last_name'] as const;
export const WAREHOUSE_FIELDS = [
  'name',
  'line1',
  'line2',
  'site',
  'city',
  'state',
  'zip_code',
  'country',
  'fax',
  'phone',
] as const;

const NAMES = ['users', 'warehouses', 'users_warehouses'] as const;
type Name = (typeof NAMES)[number];

/** Quoted, with their schema. */
export type AccountTables = Readonly<Record<Name, string>> & { readonly schema: string };

export function accountTables(schema: string): AccountTables {
  const quoted = (name: Name): string => `${escapeIdentifier(schema)}.${name}`;
  return {
    schema,
    users: quoted('users'),
    warehouses: quoted('warehouses'),
    users_warehouses: quoted('users_warehouses'),
  };
}

const TIMES = 'inserted_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()';

/** Creates schema and tables if missing, and refuses existing tables that do not fit. Safe to repeat. */
export async function prepareTables(client: PoolClient, tables: AccountTables): Promise<void> {
  // Check first: IF NOT EXISTS requires the CREATE right even if the schema exists.
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regnamespace($1) IS NOT NULL AS there', [
    escapeIdentifier(tables.schema),
  ]);
  if (rows[0]?.there !== true) await client.query(`CREATE SCHEMA ${escapeIdentifier(tables.schema)}`);
  const texts = (fields: readonly string[]): string => fields.map((field) => `${field} text`).join(', ');
  const definitions: Record<Name, string> = {
    users: `id bigint PRIMARY KEY, ${texts(USER_FIELDS)}, ${TIMES}`,
    warehouses: `id bigint PRIMARY KEY, ${texts(WAREHOUSE_FIELDS)}, ${TIMES}`,
    users_warehouses: `user_id bigint NOT NULL REFERENCES ${tables.users} ON DELETE CASCADE,
      warehouse_id bigint NOT NULL REFERENCES ${tables.warehouses} ON DELETE CASCADE,
      PRIMARY KEY (user_id, warehouse_id)`,
  };
  for (const name of NAMES) {
    if (await tableExists(client, tables[name])) await refuseForeign(client, tables, name);
    else await client.query(`CREATE TABLE ${tables[name]} (${definitions[name]})`);
  }
}

const COLUMNS: Record<Name, readonly string[]> = {
  users: ['id', ...USER_FIELDS, 'inserted_at', 'updated_at'],
  warehouses: ['id', ...WAREHOUSE_FIELDS, 'inserted_at', 'updated_at'],
  users_warehouses: ['user_id', 'warehouse_id'],
};

async function tableExists(client: PoolClient, quoted: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    quoted,
  ]);
  return rows[0]?.there === true;
}

/** @throws JobError `notConfigured` for a table that lacks our columns or has other mandatory ones */
async function refuseForeign(client: PoolClient, tables: AccountTables, name: Name): Promise<void> {
  const { rows } = await client.query<{ column: string; wanted: boolean }>(
    `SELECT attname AS column, attnotnull AND NOT atthasdef AND attidentity = '' AS wanted
     FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [tables[name]],
  );
  const has = rows.map(({ column }) => column);
  const lacking = COLUMNS[name].filter((column) => !has.includes(column));
  const wanted = rows.filter((row) => row.wanted).map(({ column }) => column);
  const strange = wanted.filter((column) => !COLUMNS[name].includes(column));
  if (lacking.length === 0 && strange.length === 0) return;
  const why = [
    ...(lacking.length > 0 ? [`lacks ${lacking.join(', ')}`] : []),
    ...(strange.length > 0 ? [`requires ${strange.join(', ')}`] : []),
  ].join(' and ');
  throw new JobError(
    'notConfigured',
    `the table ${tables.schema}.${name} is not an account table: it ${why}; nothing was touched. Set SINK_SCHEMA to another schema`,
  );
}
