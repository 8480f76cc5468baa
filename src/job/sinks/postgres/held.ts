/** Reads the records whose removal waits for an answer, in short transactions, and removes those that are approved. */
import type { PoolClient } from 'pg';
import { type HeldRecord, MOST_RECORD_BYTES } from '../held-records.ts';
import type { HeldRecords } from '../sink.ts';
import { readChangeSet } from './change-sets.ts';
import { READ_COMMITTED } from './connect.ts';
import { countLive } from './difference.ts';
import { inspectLiveTable, type LiveTable } from './live-table.ts';
import { beginRemoval } from './removal.ts';
import { inStateTransaction, type Session } from './session.ts';
import { recordOf } from './shape.ts';

/** Ids are sorted by bytes, which no index of the table helps with, so each sort serves many records. */
const IDS_AT_ONCE = 10_000;
/** Bounds the memory for records of the largest size. */
const RECORDS_AT_ONCE = 200;

export function createHeldRecords(session: () => Session): HeldRecords {
  return {
    isUnusual: () => isUnusual(session()),
    live: () => inHeldTransaction(session(), (client, table) => countLive(client, { ...session(), table })),
    read: () => readHeld(session()),
    beginRemoval: () => beginRemoval(session()),
  };
}

async function isUnusual(session: Session): Promise<boolean> {
  const { places, changeSet } = session;
  const { counts } = await inStateTransaction(session, (client) => readChangeSet(client, places, changeSet));
  return counts?.heldAsUnusual ?? false;
}

async function* readHeld(session: Session): AsyncGenerator<readonly HeldRecord[]> {
  for (let after: string | null = null; ; ) {
    const ids: string[] = await inHeldTransaction(session, (client) => heldIds(client, session, after));
    for (let at = 0; at < ids.length; at += RECORDS_AT_ONCE) {
      const some = ids.slice(at, at + RECORDS_AT_ONCE);
      yield await inHeldTransaction(session, (client, table) =>
        recordsOf(client, { ...session, table }, some),
      );
    }
    if (ids.length < IDS_AT_ONCE) return;
    after = ids.at(-1) ?? null;
  }
}

/** Looks at the table anew: a sync may have created it or changed its columns. */
async function inHeldTransaction<T>(
  session: Session,
  work: (client: PoolClient, table: LiveTable) => Promise<T>,
): Promise<T> {
  const { places, options } = session;
  return await inStateTransaction(
    session,
    async (client) => work(client, await inspectLiveTable(client, places, options.columns)),
    `${READ_COMMITTED}; SET TRANSACTION READ ONLY`,
  );
}

async function heldIds(
  client: PoolClient,
  { places, sinkId }: Session,
  after: string | null,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM ${places.kept} WHERE sink = $1 AND reason = 'held' AND ($2::text IS NULL OR id COLLATE "C" > $2 COLLATE "C")
     ORDER BY id COLLATE "C" LIMIT ${IDS_AT_ONCE}`,
    [sinkId, after],
  );
  return rows.map(({ id }) => id);
}

type Row = {
  readonly id: string;
  readonly since: Date;
  readonly seen: Date | null;
  readonly updated_at: Date;
  readonly json: string | null;
};

/** The newest listing before the one that first lacked a record had it. */
async function recordsOf(
  client: PoolClient,
  { places, sinkId, table }: Session,
  ids: readonly string[],
): Promise<HeldRecord[]> {
  const { rows } = await client.query<Row>(
    `SELECT l.id, k.since, l.updated_at, CASE WHEN octet_length(r.json) <= $3 THEN r.json END AS json,
       (SELECT max(s.applied_at) FROM ${places.changeSets} s
        WHERE s.sink = $1 AND s.state = 'applied' AND s.action IN ('sync', 'delete') AND s.applied_at < k.since) AS seen
     FROM ${places.kept} k JOIN ${table.quoted} l ON l.id = k.id
       CROSS JOIN LATERAL (SELECT (${recordOf(table.shape, 'l')})::text AS json) r
     WHERE k.sink = $1 AND k.reason = 'held' AND k.id = ANY ($2::text[]) AND l.id = ANY ($2::text[])
     ORDER BY l.id COLLATE "C"`,
    [sinkId, ids, MOST_RECORD_BYTES],
  );
  return rows.map((row) => ({
    id: row.id,
    missingSince: row.since,
    lastSeen: row.seen,
    updatedAt: row.updated_at,
    json: row.json,
  }));
}
