/** Reads the story of one record from the change sets, in one snapshot; may run beside any job. */
import type { PoolClient } from 'pg';
import { MOST_RECORD_BYTES } from '../held-records.ts';
import type { KeptReason } from '../sink.ts';
import { MOST_ENTRIES, MOST_FIELDS, type Story, type StoryEntry, type StoryValue } from '../story.ts';
import { READ_ONLY } from './connect.ts';
import { findSink } from './fence.ts';
import type { LiveTable } from './live-table.ts';
import type { Places } from './places.ts';
import { type Connection, inStateTransaction } from './session.ts';
import { recordOf } from './shape.ts';

type Place = {
  readonly places: Places;
  readonly table: LiveTable;
  readonly sink: number;
  readonly id: string;
};

export async function readStory(connection: Connection, table: LiveTable, id: string): Promise<Story> {
  const { places } = connection;
  return await inStateTransaction(
    connection,
    async (client) => {
      const sink = (await isMade(client, places)) ? await findSink(client, places, table) : null;
      if (!sink) return { ...NOTHING, live: await readLive(client, table, id) };
      const of = { places, table, sink: sink.id, id };
      const live = await readLive(client, table, id);
      const { entries, total } = await readChanges(client, of);
      const kept = live === null ? null : await readKept(client, of);
      // The rollback that restored a record is an entry of its own.
      const isTold = kept === null || kept.reason === 'rolled_back';
      const all = isTold ? entries : withKept(entries, kept);
      const shown = all.slice(0, MOST_ENTRIES);
      return {
        live,
        kept,
        lastSeen: live === null ? null : await readLastSeen(client, of, kept?.since ?? null),
        begins: await readBeginning(client, of),
        entries: shown,
        older: total + (isTold ? 0 : 1) - shown.length,
      };
    },
    READ_ONLY,
  );
}

const NOTHING: Story = { live: null, kept: null, lastSeen: null, begins: null, entries: [], older: 0 };

/** False before the first job of any table in this database. */
async function isMade(client: PoolClient, { sinks }: Places): Promise<boolean> {
  const { rows } = await client.query<{ made: boolean }>('SELECT to_regclass($1) IS NOT NULL AS made', [
    sinks,
  ]);
  return rows[0]?.made === true;
}

type ValueRow = { readonly at: Date | number | null; readonly json: string | null };

async function readLive(client: PoolClient, table: LiveTable, id: string): Promise<StoryValue | null> {
  if (table.oid === null) return null;
  const { rows } = await client.query<ValueRow>(
    `SELECT updated_at AS at, ${shown('record')} AS json
     FROM (SELECT l.updated_at, ${recordOf(table.shape, 'l')} AS record FROM ${table.quoted} l WHERE l.id = $1) one`,
    [id],
  );
  return rows[0] ? valueOf(rows[0]) : null;
}

type ChangeRow = {
  readonly kind: 'added' | 'updated' | 'removed';
  readonly action: string;
  readonly job_uid: string | null;
  readonly at: Date;
  readonly before_at: Date | number | null;
  readonly before_json: string | null;
  readonly after_at: Date | number | null;
  readonly after_json: string | null;
  readonly had: boolean;
  readonly has: boolean;
  readonly changed: string[] | null;
  readonly others: boolean;
  readonly total: string;
};

/**
 * A change set holds the value before; the value after is the one before the next change, or the live one. Each set is
 * looked up by the key of `changes`, which no plan for a join of both would do: the table has no index on the id alone.
 */
async function readChanges(client: PoolClient, of: Place): Promise<{ entries: StoryEntry[]; total: number }> {
  const { places, table, sink, id } = of;
  const live =
    table.oid === null
      ? 'SELECT NULL::timestamptz AS at, NULL::jsonb AS record WHERE false'
      : `SELECT l.updated_at AS at, ${recordOf(table.shape, 'l')} AS record FROM ${table.quoted} l WHERE l.id = $2`;
  const { rows } = await client.query<ChangeRow>(
    `WITH live AS MATERIALIZED (${live}), told AS (
       SELECT s.id AS set, s.action, s.job_uid, coalesce(s.applied_at, s.opened_at) AS at,
         c.kind, c.old_updated_at, c.old_record, c.new_hash, count(*) OVER () AS total
       FROM ${places.changeSets} s CROSS JOIN LATERAL (
         SELECT * FROM ${places.changes} WHERE change_set = s.id AND id = $2 OFFSET 0) c
       WHERE s.sink = $1 ORDER BY s.id DESC LIMIT ${MOST_ENTRIES}
     ), chain AS (
       SELECT told.*, CASE WHEN lag(set) OVER w IS NULL THEN live.at ELSE lag(old_updated_at) OVER w END AS next_at,
         CASE WHEN lag(set) OVER w IS NULL THEN live.record ELSE lag(old_record) OVER w END AS next_record
       FROM told LEFT JOIN live ON true WINDOW w AS (ORDER BY set DESC)
     ), ends AS (
       SELECT *, CASE WHEN kind <> 'removed' THEN next_at END AS new_at,
         CASE WHEN kind <> 'removed' THEN next_record END AS new_record,
         hashtextextended(extract(epoch FROM next_at)::text || ' ' || next_record::text, 0) AS next_hash
       FROM chain
     )
     SELECT kind, action, job_uid, at, total, old_updated_at AS before_at, ${shown('old_record')} AS before_json,
       new_at AS after_at, ${shown('new_record')} AS after_json, old_record IS NOT NULL AS had, new_record IS NOT NULL AS has,
       next_hash IS DISTINCT FROM new_hash AS others, fields.changed
     FROM ends LEFT JOIN LATERAL (
       SELECT array_agg(left(key, 200) ORDER BY key COLLATE "C") FILTER (WHERE nth <= ${MOST_FIELDS}) AS changed
       FROM (SELECT key, row_number() OVER (ORDER BY key COLLATE "C") AS nth
             FROM jsonb_each(${objectIn('old_record')}) b FULL JOIN jsonb_each(${objectIn('new_record')}) a USING (key)
             WHERE a.value IS DISTINCT FROM b.value) differing
     ) fields ON old_record IS NOT NULL AND new_record IS NOT NULL
     ORDER BY set DESC`,
    [sink, id],
  );
  return { entries: rows.map(entryOf), total: Number(rows[0]?.total ?? 0) };
}

function entryOf(row: ChangeRow): StoryEntry {
  const isRestored = row.action === 'rollback' && row.kind !== 'removed';
  return {
    at: row.at,
    kind: isRestored ? 'restored' : row.kind,
    action: row.action,
    jobUid: row.job_uid,
    reason: null,
    before: row.had ? valueOf({ at: row.before_at, json: row.before_json }) : null,
    after: row.has ? valueOf({ at: row.after_at, json: row.after_json }) : null,
    changed: row.had && row.has ? (row.changed ?? []) : null,
    changedByOthers: row.others,
  };
}

/** SQL of the text of a record that is short enough to be shown. */
function shown(record: string): string {
  return `CASE WHEN octet_length(${record}::text) <= ${MOST_RECORD_BYTES} THEN ${record}::text END`;
}

/** Other programs may have written what is no object. */
function objectIn(record: string): string {
  return `CASE WHEN jsonb_typeof(${record}) = 'object' THEN ${record} ELSE '{}' END`;
}

/** A time may be infinite, or have a year that no other program of ours reads. */
function valueOf({ at, json }: ValueRow): StoryValue {
  const isTime = at instanceof Date && at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999;
  return { updatedAt: isTime ? at : null, json };
}

type KeptRow = NonNullable<Story['kept']> & Pick<StoryEntry, 'action' | 'jobUid'>;

/** The set of the job whose transaction first missed the record: `since` lies between its beginning and its end. */
async function readKept(client: PoolClient, { places, sink, id }: Place): Promise<KeptRow | null> {
  const { rows } = await client.query<{
    reason: KeptReason;
    since: Date;
    last_seen: Date;
    action: string | null;
    job_uid: string | null;
  }>(
    `SELECT k.reason, k.since, k.last_seen, s.action, s.job_uid FROM ${places.kept} k LEFT JOIN LATERAL (
       SELECT action, job_uid FROM ${places.changeSets}
       WHERE sink = $1 AND opened_at <= k.since AND applied_at >= k.since ORDER BY id DESC LIMIT 1) s ON true
     WHERE k.sink = $1 AND k.id = $2`,
    [sink, id],
  );
  const [row] = rows;
  if (!row) return null;
  const { reason, since, last_seen: checked, action, job_uid: jobUid } = row;
  return { reason, since, checked, action, jobUid };
}

function withKept(entries: readonly StoryEntry[], kept: KeptRow): StoryEntry[] {
  const { reason, since, action, jobUid } = kept;
  const own: StoryEntry = {
    at: since,
    kind: reason === 'held' ? 'held' : 'kept',
    action,
    jobUid,
    reason,
    before: null,
    after: null,
    changed: null,
    changedByOthers: false,
  };
  return [...entries, own].toSorted((one, other) => other.at.getTime() - one.at.getTime());
}

/**
 * When a full listing that had the live record was last applied: the newest one before the record was missed. A record
 * that a delta has written since was seen then.
 */
async function readLastSeen(
  client: PoolClient,
  { places, sink, id }: Place,
  missedSince: Date | null,
): Promise<Date | null> {
  const { rows } = await client.query<{ at: Date | null }>(
    `SELECT greatest(
       (SELECT max(applied_at) FROM ${places.changeSets} WHERE sink = $1 AND state = 'applied'
          AND action IN ('sync', 'delete') AND ($3::timestamptz IS NULL OR applied_at < $3)),
       (SELECT s.applied_at FROM ${places.changeSets} s CROSS JOIN LATERAL (
            SELECT kind FROM ${places.changes} WHERE change_set = s.id AND id = $2 OFFSET 0) c
          WHERE s.sink = $1 AND s.state = 'applied' AND s.action IN ('sync', 'delta') AND c.kind <> 'removed'
            AND ($3::timestamptz IS NULL OR applied_at < $3) ORDER BY s.id DESC LIMIT 1)) AS at`,
    [sink, id, missedSince],
  );
  return rows[0]?.at ?? null;
}

async function readBeginning(client: PoolClient, { places, sink }: Place): Promise<Story['begins']> {
  const { rows } = await client.query<NonNullable<Story['begins']>>(
    `SELECT coalesce(applied_at, opened_at) AS at, action, job_uid AS "jobUid", begins_history AS why
     FROM ${places.changeSets} WHERE sink = $1 ORDER BY id LIMIT 1`,
    [sink],
  );
  return rows[0] ?? null;
}
