/** The three places of the data (live, previous, loading), by name, and how one is made. */

import type { PoolClient } from 'pg';
import { escapeIdentifier } from 'pg';
import { JobError } from '../../job-error.ts';

export type Tables = {
  readonly name: string;
  readonly live: string;
  readonly previous: string;
  readonly loading: string;
  /** Where a table rests for a moment while two change places. */
  readonly aside: string;
};

/** @param name checked by src/job/settings.ts: at most 51 characters, so that suffixes fit Postgres' 63 */
export function tablesOf(name: string): Tables {
  return {
    name,
    live: escapeIdentifier(name),
    previous: escapeIdentifier(`${name}__previous`),
    loading: escapeIdentifier(`${name}__loading`),
    aside: escapeIdentifier(`${name}__aside`),
  };
}

/** A table of records under an already quoted name. */
export async function createTable(client: PoolClient, quoted: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${quoted} (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)`,
  );
}

export async function tableExists(client: PoolClient, quoted: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    quoted,
  ]);
  return rows[0]?.there === true;
}

/** Refuses a table that is somebody else's: a sync would put it aside, and the next one would drop it. */
export async function refuseForeignTable(client: PoolClient, { name, live }: Tables): Promise<void> {
  const { rows } = await client.query<{ columns: string | null }>(
    `SELECT string_agg(attname, ',' ORDER BY attname) AS columns
     FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [live],
  );
  const columns = rows[0]?.columns ?? null;
  if (columns !== null && columns !== 'id,record,updated_at') {
    throw new JobError(
      'notConfigured',
      `SINK_TABLE=${name} is a table with other columns (${columns}); not touched`,
    );
  }
}
