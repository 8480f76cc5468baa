/**
 * Migrates the state of version 0.1.0: fence, watermark, the generation it kept for a rollback, and the log of an
 * item bank. The old tables stay unchanged and are not read again.
 */
import type { PoolClient } from 'pg';
import type { LiveTable } from './live-table.ts';
import { type Places, quoted } from './places.ts';
import { hashOf } from './shape.ts';

const STATE = 'syncrator_sink_state';
/** Above every job number, so that a program of version 0.1.0 is fenced. */
const FENCED = '9223372036854775807';

type OldState = {
  readonly highest_job_id: string | null;
  readonly live_watermark: Date | null;
  readonly previous_watermark: Date | null;
};

/** Runs once per table, in the transaction that creates its sink row. @returns a log line; null without old state */
export async function adoptOldState(
  client: PoolClient,
  places: Places,
  { table, sinkId }: { table: LiveTable; sinkId: number },
): Promise<string | null> {
  // Version 0.1.0 had no schema setting: its tables lie in the search_path.
  if (table.oid === null || places.schema !== null) return null;
  if (
    !(await hasColumns(client, quoted({ schema: table.name.schema, table: STATE }), [
      'sink_table',
      'highest_job_id',
      'live_watermark',
      'previous_watermark',
    ]))
  )
    return null;
  const state = quoted({ schema: table.name.schema, table: STATE });
  const { rows } = await client.query<OldState>(
    `SELECT highest_job_id, live_watermark, previous_watermark FROM ${state} WHERE sink_table = $1 FOR UPDATE`,
    [places.table],
  );
  const old = rows[0];
  if (!old) return null;
  await client.query(`UPDATE ${places.sinks} SET job_id = $2, synced = $3, watermark = $4 WHERE id = $1`, [
    sinkId,
    old.highest_job_id === FENCED ? null : old.highest_job_id,
    old.live_watermark !== null,
    old.live_watermark,
  ]);
  const previous = await adoptPrevious(client, places, { table, sinkId, old });
  const log = await adoptItemLog(client, places, { table, sinkId });
  await client.query(`UPDATE ${state} SET highest_job_id = $2 WHERE sink_table = $1`, [places.table, FENCED]);
  const leftovers = [previous, log].filter((name) => name !== null);
  return `migrated ${places.shown} from version 0.1.0${leftovers.length > 0 ? `; unused now, may be dropped: ${leftovers.join(', ')}` : ''}`;
}

/** Turns the previous generation into a change set that a rollback undoes. */
async function adoptPrevious(
  client: PoolClient,
  places: Places,
  { table, sinkId, old }: { table: LiveTable; sinkId: number; old: OldState },
): Promise<string | null> {
  const { live_watermark: live, previous_watermark: before } = old;
  const name = quoted({ schema: table.name.schema, table: `${table.name.table}__previous` });
  if (before === null || !(await isOurs(client, name, table))) return null;
  // A rollback of 0.1.0 swapped the watermarks: if the previous one is later, the last action was a rollback.
  const action = live !== null && before > live ? 'rollback' : 'sync';
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO ${places.changeSets} (sink, step_key, job_id, action, state, applied_at, watermark_before, watermark_after, proven_before, coarse_before)
     VALUES ($1, 'version 0.1.0', $2, $3, 'applied', now(), $4, $5, false, false) RETURNING id`,
    [sinkId, old.highest_job_id, action, before, live],
  );
  await client.query(
    `INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record, new_hash)
     SELECT $1, coalesce(l.id, p.id),
       CASE WHEN l.id IS NULL THEN 'removed' WHEN p.id IS NULL THEN 'added' ELSE 'updated' END,
       p.updated_at, p.record, ${hashOf('l', 'l.record')}
     FROM ${table.quoted} l FULL JOIN ${name} p ON p.id = l.id
     WHERE l.id IS NULL OR p.id IS NULL OR row(l.updated_at, l.record)::record *<> row(p.updated_at, p.record)::record`,
    [rows[0]?.id],
  );
  return name;
}

async function adoptItemLog(
  client: PoolClient,
  places: Places,
  { table, sinkId }: { table: LiveTable; sinkId: number },
): Promise<string | null> {
  const name = quoted({ schema: table.name.schema, table: `${table.name.table}__commits` });
  if (!(await hasColumns(client, name, ['item', 'sha', 'committed_at', 'applied_at']))) return null;
  await client.query(
    `INSERT INTO ${places.revisions} (sink, item, sha, committed_at, applied_at)
     SELECT $1, item, sha, committed_at, applied_at FROM ${name} ON CONFLICT DO NOTHING`,
    [sinkId],
  );
  return name;
}

/** True if the table has exactly the columns of version 0.1.0 and the owner of the live table. */
async function isOurs(client: PoolClient, name: string, { oid }: LiveTable): Promise<boolean> {
  const { rows } = await client.query<{ ours: boolean }>(
    `SELECT c.relkind = 'r' AND c.relowner = (SELECT relowner FROM pg_class WHERE oid = $2)
       AND has_table_privilege(c.oid, 'SELECT')
       AND (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
         = 'id text, record jsonb, updated_at timestamp with time zone' AS ours
     FROM pg_class c WHERE c.oid = to_regclass($1)`,
    [name, oid],
  );
  return rows[0]?.ours === true;
}

async function hasColumns(client: PoolClient, name: string, columns: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ found: string }>(
    `SELECT count(*) AS found FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.oid = to_regclass($1) AND c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT')
       AND attnum > 0 AND NOT attisdropped AND attname::text = ANY ($2)`,
    [name, columns],
  );
  return Number(rows[0]?.found) === columns.length;
}
