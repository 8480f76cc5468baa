/**
 * Computes the difference between a listing and the live table and stores it as rows of `changes`: the old record
 * and a hash of the new one. Does not change the live table.
 */
import type { PoolClient } from 'pg';
import type { LoadMode } from '../sink.ts';
import type { Session } from './session.ts';
import { differs, hashOf, recordOf, recordToBe } from './shape.ts';

/** A row of the staging table `n` without a record lists only an id: its live record stays. */
const JOINS: Readonly<Record<LoadMode, string>> = {
  everything: 'FULL JOIN',
  changes: 'RIGHT JOIN',
  ids: 'FULL JOIN',
};

/**
 * Writes the changes of the set with one join.
 *
 * @param of.staging quoted name of a table with the columns id, updated_at, record
 * @param of.stamped whether the comparison leaves updated_at out
 */
export async function writeDifference(
  client: PoolClient,
  { places, table, changeSet }: Session,
  { staging, mode, stamped = false }: { staging: string; mode: LoadMode; stamped?: boolean },
): Promise<void> {
  const { shape } = table;
  await client.query(
    `INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record, new_hash)
     SELECT $1, coalesce(l.id, n.id),
       CASE WHEN n.id IS NULL THEN 'removed' WHEN l.id IS NULL THEN 'added' ELSE 'updated' END,
       l.updated_at, ${recordOf(shape, 'l')}, ${hashOf('n', recordToBe(shape, 'n'))}
     FROM ${table.quoted} l ${JOINS[mode]} ${staging} n ON n.id = l.id
     WHERE n.id IS NULL OR (n.record IS NOT NULL AND (l.id IS NULL OR ${differs(shape, 'l', 'n', !stamped)}))`,
    [changeSet],
  );
}

/**
 * Adds the removals that the source itself tells. A row of the staging table without a record and with a time is such a
 * deletion; a live record with a later time is a newer one, and stays.
 */
export async function writeGone(
  client: PoolClient,
  { places, table, changeSet }: Session,
  staging: string,
): Promise<void> {
  await client.query(
    `INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record)
     SELECT $1, l.id, 'removed', l.updated_at, ${recordOf(table.shape, 'l')} FROM ${table.quoted} l JOIN ${staging} n ON n.id = l.id
     WHERE n.record IS NULL AND n.updated_at >= l.updated_at`,
    [changeSet],
  );
}

export type Counts = { readonly added: number; readonly updated: number; readonly removed: number };

export async function countChanges(client: PoolClient, { places, changeSet }: Session): Promise<Counts> {
  const { rows } = await client.query<{ kind: keyof Counts; count: string }>(
    `SELECT kind, count(*) FROM ${places.changes} WHERE change_set = $1 GROUP BY kind`,
    [changeSet],
  );
  const counts = { added: 0, updated: 0, removed: 0 };
  for (const { kind, count } of rows) counts[kind] = Number(count);
  return counts;
}

/**
 * Counts changed records whose time lies before the watermark, so that no delta could find them. `latestMs`: the
 * margin that would have found all of them.
 * @returns null without a watermark
 */
export async function countMissed(
  client: PoolClient,
  { places, changeSet }: Session,
  { staging, watermark }: { staging: string; watermark: Date | null },
): Promise<{ count: number; latestMs: number } | null> {
  if (watermark === null) return null;
  const { rows } = await client.query<{ count: string; late: string | null }>(
    `SELECT count(*), extract(epoch FROM $2 - min(n.updated_at)) * 1000 AS late
     FROM ${places.changes} c JOIN ${staging} n ON n.id = c.id
     WHERE c.change_set = $1 AND c.kind <> 'removed' AND n.updated_at < $2`,
    [changeSet, watermark],
  );
  return { count: Number(rows[0]?.count), latestMs: Math.round(Number(rows[0]?.late ?? 0)) };
}

export async function countLive(client: PoolClient, { table }: Session): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table.quoted}`);
  return Number(rows[0]?.count);
}

/** Removes changes from the set, so that they are not made. */
export async function withdraw(
  client: PoolClient,
  { places, changeSet }: Session,
  ids: readonly string[],
): Promise<void> {
  await client.query(`DELETE FROM ${places.changes} WHERE change_set = $1 AND id = ANY ($2)`, [
    changeSet,
    ids,
  ]);
}
