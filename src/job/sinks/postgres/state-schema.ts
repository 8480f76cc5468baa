/** Creates the state schema in the sink's database: fences, change sets, kept records, loads. Safe to repeat. */
import { escapeIdentifier, type PoolClient } from 'pg';
import type { SinkOptions } from './session.ts';
import { JobError } from '../../job-error.ts';
import type { Places } from './places.ts';

const VERSION = 1;
/**
 * With the table `sink_columns`, made for the first table that has columns. An older program would leave the columns
 * behind, so it must refuse the schema.
 */
const WITH_COLUMNS = 2;
/** Advisory lock; the same number in every program, since concurrent CREATE statements collide in the catalogue. */
const LOCK = 4_711_002;

/** @throws JobError `sinkPermission` or `notConfigured`; the message contains the statement that fixes it */
export async function prepareStateSchema(
  client: PoolClient,
  places: Places,
  { acceptAllTables, columns }: Pick<SinkOptions, 'acceptAllTables' | 'columns'>,
): Promise<void> {
  const needed = columns.list.length > 0 ? WITH_COLUMNS : VERSION;
  const isReady = (version: number | null): boolean =>
    version !== null && version >= needed && version <= WITH_COLUMNS;
  if (isReady(await readVersion(client, places))) return;
  await lockStateSchema(client);
  const version = await readVersion(client, places);
  if (isReady(version)) return;
  if (version !== null && version !== VERSION) {
    throw new JobError(
      'notConfigured',
      `the schema ${places.stateSchema} has version ${version}, but this program needs ${WITH_COLUMNS}; upgrade Syncrator`,
    );
  }
  if (version === null) {
    if (!acceptAllTables) await refusePublicationOfAll(client, places);
    await makeSchema(client, places);
    await client.query(definitions(places));
  }
  if (needed === WITH_COLUMNS) await client.query(columnDefinitions(places));
}

/** Until the end of the transaction. */
export async function lockStateSchema(client: PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

async function readVersion(client: PoolClient, places: Places): Promise<number | null> {
  // Queries pg_class: to_regclass alone could use cached catalogue data from before the lock.
  const { rows } = await client.query<{ there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1)) AS there',
    [places.version],
  );
  if (rows[0]?.there !== true) return null;
  const found = await client.query<{ version: number }>(`SELECT version FROM ${places.version}`);
  return found.rows[0]?.version ?? null;
}

/**
 * Refuses a publication FOR ALL TABLES: its subscribers would stop at the first row of our tables, which they
 * lack.
 */
async function refusePublicationOfAll(client: PoolClient, { stateSchema }: Places): Promise<void> {
  const { rows } = await client.query<{ pubname: string }>(
    'SELECT pubname FROM pg_publication WHERE puballtables ORDER BY 1 LIMIT 1',
  );
  if (!rows[0]) return;
  throw new JobError(
    'notConfigured',
    `the publication ${rows[0].pubname} is FOR ALL TABLES: its subscribers would stop at the tables of the schema ` +
      `${stateSchema}, which they lack. Publish tables by name, or make the schema at the subscribers too and set ` +
      `SINK_ALL_TABLES=accept`,
  );
}

async function makeSchema(client: PoolClient, { stateSchema }: Places): Promise<void> {
  const { rows } = await client.query<{
    there: boolean;
    may: boolean;
    role: string;
    database: string;
    first: string | null;
  }>(
    `SELECT to_regnamespace($1) IS NOT NULL AS there, current_user AS role, current_database() AS database,
       CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
         ELSE has_schema_privilege(to_regnamespace($1), 'CREATE') AND has_schema_privilege(to_regnamespace($1), 'USAGE') END AS may,
       (SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        ORDER BY 1 LIMIT 1) AS first`,
    [escapeIdentifier(stateSchema)],
  );
  const row = rows[0];
  if (!row?.may) {
    const [schema, role] = [escapeIdentifier(stateSchema), escapeIdentifier(row?.role ?? '')];
    const statement = row?.there
      ? `GRANT CREATE, USAGE ON SCHEMA ${schema} TO ${role}`
      : `CREATE SCHEMA ${schema} AUTHORIZATION ${role}`;
    throw new JobError(
      'sinkPermission',
      `sink: the role may not create tables in database ${row?.database}; run: ${statement}`,
    );
  }
  if (row.first !== null) {
    throw new JobError(
      'notConfigured',
      `the schema ${stateSchema} holds ${row.first}, which Syncrator did not create; set SINK_STATE_SCHEMA to another schema`,
    );
  }
  if (!row.there) await client.query(`CREATE SCHEMA ${escapeIdentifier(stateSchema)}`);
}

/** Without a foreign key onto `sinks`: adding it would wait for every job that writes into this database. */
function columnDefinitions(p: Places): string {
  return `
    CREATE TABLE ${p.sinkColumns} (
      sink int PRIMARY KEY, columns text[] NOT NULL, keeps_record boolean NOT NULL);
    COMMENT ON TABLE ${p.sinkColumns} IS 'the columns of fields in the live table, as the last sync left them';
    UPDATE ${p.version} SET version = ${WITH_COLUMNS}`;
}

function definitions(p: Places): string {
  return `
    CREATE TABLE ${p.version} (version int NOT NULL);
    INSERT INTO ${p.version} VALUES (${VERSION});
    CREATE TABLE ${p.sinks} (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      table_schema text NOT NULL, table_name text NOT NULL,
      table_oid oid,
      installation uuid, env text, target text,
      job_id bigint, job_uid uuid, step int, attempt int,
      run uuid, claimed_at timestamptz NOT NULL DEFAULT now(),
      synced boolean NOT NULL DEFAULT false,
      watermark timestamptz,
      coarse_times boolean NOT NULL DEFAULT false,
      proven boolean NOT NULL DEFAULT false,
      UNIQUE (table_schema, table_name));
    CREATE TABLE ${p.changeSets} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      sink int NOT NULL REFERENCES ${p.sinks},
      step_key text NOT NULL,
      job_id bigint, job_uid uuid, origin_uid uuid, action text NOT NULL,
      state text NOT NULL CHECK (state IN ('open', 'applied', 'interrupted')),
      begins_history text,
      back_to bigint,
      opened_at timestamptz NOT NULL DEFAULT now(), applied_at timestamptz,
      watermark_before timestamptz, watermark_after timestamptz,
      proven_before boolean, coarse_before boolean,
      counts jsonb,
      UNIQUE (sink, step_key));
    COMMENT ON COLUMN ${p.changeSets}.begins_history IS 'why there is no way back to before it; null: there is';
    COMMENT ON COLUMN ${p.changeSets}.back_to IS 'of a rollback: the set before which it went back';
    CREATE TABLE ${p.changes} (
      change_set bigint NOT NULL, id text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('added', 'updated', 'removed')),
      old_updated_at timestamptz, old_record jsonb, new_hash bigint,
      PRIMARY KEY (change_set, id));
    CREATE TABLE ${p.kept} (
      sink int NOT NULL, id text NOT NULL, reason text NOT NULL,
      since timestamptz NOT NULL DEFAULT now(), last_seen timestamptz NOT NULL DEFAULT now(), change_set bigint,
      PRIMARY KEY (sink, id));
    CREATE TABLE ${p.rejected} (
      sink int NOT NULL, id text NOT NULL, updated_at timestamptz NOT NULL, record jsonb NOT NULL,
      reason text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (sink, id));
    CREATE UNLOGGED TABLE ${p.loads} (
      id uuid PRIMARY KEY, sink int NOT NULL, mode text NOT NULL, since timestamptz, began timestamptz NOT NULL,
      cursor text, done bigint NOT NULL DEFAULT 0);
    CREATE TABLE ${p.revisions} (
      sink int NOT NULL, item text NOT NULL, sha text NOT NULL,
      committed_at timestamptz NOT NULL, applied_at timestamptz NOT NULL,
      PRIMARY KEY (sink, item, sha));`;
}
