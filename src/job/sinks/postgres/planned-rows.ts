/** The rows that a change set would change or hold, each with its old and new content, and the digest over all of them. */
import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { Plannable } from '../../../domain/action.ts';
import { type Bind, createParameters } from './parameters.ts';
import type { Session } from './session.ts';
import { recordOf, recordToBe } from './shape.ts';

/** SQL of two SELECTs, before anything of the set is written to the live table. */
export type PlannedRows = {
  /** kind, id */
  readonly ids: (bind: Bind) => string;
  /** kind, id, old_at, old_record, new_at, new_record */
  readonly rows: (bind: Bind) => string;
};

/** The changes of the set, and what it holds. */
export function changedRows(
  { places, sinkId, changeSet, table: { quoted, shape } }: Session,
  staging: string,
): PlannedRows {
  const changes = (bind: Bind): string => `FROM ${places.changes} c WHERE c.change_set = ${bind(changeSet)}`;
  const held = (bind: Bind): string =>
    `FROM ${places.kept} k JOIN ${quoted} l ON l.id = k.id
     WHERE k.sink = ${bind(sinkId)} AND k.change_set = ${bind(changeSet)} AND k.reason = 'held'`;
  return {
    ids: (bind) => `SELECT kind, c.id ${changes(bind)} UNION ALL SELECT 'held', k.id ${held(bind)}`,
    rows: (bind) => `
      SELECT o.*, n.updated_at AS new_at, ${recordToBe(shape, 'n')} AS new_record
      FROM (SELECT kind, c.id, old_updated_at AS old_at, old_record ${changes(bind)}
            UNION ALL SELECT 'held', k.id, l.updated_at, ${recordOf(shape, 'l')} ${held(bind)}) o
        LEFT JOIN ${staging} n ON n.id = o.id AND n.record IS NOT NULL`,
  };
}

/** All records of a load, for an empty table. */
export function addedRows({ table: { shape } }: Pick<Session, 'table'>, staging: string): PlannedRows {
  return {
    ids: () => `SELECT 'added' AS kind, id FROM ${staging} WHERE record IS NOT NULL`,
    rows: () => `
      SELECT 'added' AS kind, id, NULL::timestamptz AS old_at, NULL::jsonb AS old_record, updated_at AS new_at,
        ${recordToBe(shape, 'n')} AS new_record
      FROM ${staging} n WHERE record IS NOT NULL`,
  };
}

/**
 * The digest of all that an apply would do. It covers the old contents too: a record that somebody else has changed since
 * makes the plan stale. The hashes of the rows are sorted, in 256 parts, so that the order of the rows does not matter.
 */
export async function digestOf(
  client: PoolClient,
  planned: PlannedRows,
  of: { readonly action: Plannable; readonly watermark: Date | null },
): Promise<string> {
  const { bind, values } = createParameters();
  const { rows } = await client.query<{ digest: string }>(
    `WITH hashes AS (
       SELECT sha256(convert_to(concat_ws(' ', kind, octet_length(id), id, ${content('old')}, ${content('new')}), 'UTF8')) AS hash
       FROM (${planned.rows(bind)}) planned),
     parts AS (
       SELECT get_byte(hash, 0) AS part, sha256(string_agg(hash, ''::bytea ORDER BY hash)) AS hash FROM hashes GROUP BY 1)
     SELECT encode(coalesce(string_agg(hash, ''::bytea ORDER BY part), ''::bytea), 'hex') AS digest FROM parts`,
    values,
  );
  const whole = { action: of.action, watermark: of.watermark?.toISOString() ?? null, rows: rows[0]?.digest };
  return createHash('sha256').update(JSON.stringify(whole)).digest('hex');
}

function content(side: 'old' | 'new'): string {
  return (
    `coalesce(extract(epoch FROM ${side}_at)::text, '-'), ` +
    `coalesce(encode(sha256(convert_to(${side}_record::text, 'UTF8')), 'hex'), '-')`
  );
}

/**
 * Runs statements that join fresh rows with a load. Without statistics of the rows the planner may expect one, and look
 * through the whole load for each.
 */
export async function withoutNestedLoops<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('SET LOCAL enable_nestloop = off');
  const result = await work();
  await client.query('SET LOCAL enable_nestloop TO DEFAULT');
  return result;
}
