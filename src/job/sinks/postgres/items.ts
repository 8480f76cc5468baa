/**
 * Items in sink `postgres`: updates the live table in place, each item in its own transaction. The step's change
 * set keeps the oldest value of each item. The log of applied revisions is not part of the data: a rollback does
 * not change it.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import { type Commit, type Items, type KnownItem, type Revision, UnfitItemError } from '../items.ts';
import { NOTHING_APPLIED } from '../sink.ts';
import { beginHistory, closeChangeSet } from './change-sets.ts';
import { countChanges } from './difference.ts';
import type { LiveTable } from './live-table.ts';
import { migrateAlone } from './migrate.ts';
import { type Bind, createParameters } from './parameters.ts';
import { inStateTransaction, type Session, inWriteTransaction } from './session.ts';
import { assignments, hashOf, namesIn, recordOf, unfitIn, valuesFrom } from './shape.ts';
import { causeOf, sqlState } from './sink-fault.ts';

/** SQLSTATE class 22, data exception, such as U+0000 or half of a surrogate pair in jsonb. */
const DATA_EXCEPTION = '22';

/** @param migrated takes the table once `prepare` has given it the columns of SINK_COLUMNS */
export function createItems(session: () => Session, migrated: (table: LiveTable) => void): Items {
  return {
    prepare: async () => migrated(await prepare(session())),
    known: (ids) => readItems(session(), (bind) => `id = ANY (${bind(ids)})`),
    removed: () => readItems(session(), () => `record ? 'removed'`),
    markRemoved: (id) => updateItem(session(), id, () => `record || '{"removed": true}'`),
    move: (id, project) =>
      updateItem(
        session(),
        id,
        (bind) => `jsonb_set(record - 'removed', '{project}', to_jsonb(${bind(project)}::text))`,
      ),
    applied: (id, shas) => findApplied(session(), id, shas),
    apply: (revision) => applyRevision(session(), revision),
    finish: (watermark) => finish(session(), watermark),
  };
}

async function prepare(session: Session): Promise<LiveTable> {
  const { places, table, sinkId, changeSet } = session;
  return await migrateAlone(session, async (client, oid) => {
    await client.query(
      `UPDATE ${places.sinks} SET synced = true, table_oid = coalesce($2, table_oid) WHERE id = $1`,
      [sinkId, oid],
    );
    const { rows } = await client.query<{ some: boolean }>(
      `SELECT EXISTS (SELECT FROM ${table.quoted}) AS some`,
    );
    if (rows[0]?.some !== true) await beginHistory(client, places, changeSet);
  });
}

/** @param where SQL condition on the live table */
async function readItems(session: Session, where: (bind: Bind) => string): Promise<Map<string, KnownItem>> {
  const { table } = session;
  const { bind, values } = createParameters();
  const statement = `
    SELECT id, coalesce(record->'commit'->>'sha', '') AS sha, coalesce(record->>'project', '') AS project,
      record ? 'removed' AS removed
    FROM ${table.quoted} WHERE ${where(bind)}`;
  return await inStateTransaction(session, async (client) => {
    if (!(await isThere(client, table))) return new Map();
    const { rows } = await client.query<KnownItem & { id: string }>(statement, values);
    return new Map(rows.map((row) => [row.id, row]));
  });
}

/** Updates one item and stores its old value first. @param record SQL expression of the new record */
async function updateItem(session: Session, id: string, record: (bind: Bind) => string): Promise<void> {
  const { bind, values } = createParameters();
  const { quoted, shape } = session.table;
  const next = `SELECT id, ${record(bind)} AS record FROM ${quoted} WHERE id = ${bind(id)}`;
  const statement = `UPDATE ${quoted} l SET ${assignments(shape, valuesFrom(shape, 'n.record'))} FROM (${next}) n WHERE l.id = n.id`;
  await inWriteTransaction(session, async (client) => {
    await rememberOld(client, session, id);
    await client.query(statement, values);
    await rememberNew(client, session, id);
  });
}

async function findApplied(session: Session, id: string, shas: readonly string[]): Promise<Set<string>> {
  const { places, sinkId } = session;
  return await inStateTransaction(session, async (client) => {
    const { rows } = await client.query<{ sha: string }>(
      `SELECT sha FROM ${places.revisions} WHERE sink = $1 AND item = $2 AND sha = ANY ($3)`,
      [sinkId, id, shas],
    );
    return new Set(rows.map(({ sha }) => sha));
  });
}

/** @throws UnfitItemError for JSON that Postgres cannot store */
async function applyRevision(session: Session, revision: Revision): Promise<'added' | 'updated'> {
  const { id, project, file, text, unseen, latest } = revision;
  const about = { path: file, project, commit: { sha: latest.sha, committed_at: latest.at } };
  try {
    return await inWriteTransaction(session, async (client) => {
      const isNew = await rememberOld(client, session, id);
      await write(client, session.table, [id, latest.at, text, JSON.stringify(about)]);
      await logRevisions(client, session, id, [...unseen, latest]);
      await rememberNew(client, session, id);
      return isNew ? 'added' : 'updated';
    });
  } catch (error) {
    const cause = causeOf(error);
    if (cause instanceof UnfitItemError) throw cause;
    if (!sqlState(error)?.startsWith(DATA_EXCEPTION)) throw error;
    throw new UnfitItemError('JSON that Postgres cannot store', { cause: error });
  }
}

/** @param values id, time, JSON of the item, JSON about it @throws UnfitItemError if the columns do not take them */
async function write(client: PoolClient, { quoted, shape }: LiveTable, values: string[]): Promise<void> {
  const names = namesIn(shape);
  const { rows } = await client.query<{ unfit: string[] }>(
    `WITH n AS (SELECT $1::text AS id, $2::timestamptz AS updated_at, jsonb_build_object('item', $3::jsonb) || $4::jsonb AS record),
     written AS (
       INSERT INTO ${quoted} (id, updated_at, ${names.join(', ')})
       SELECT id, updated_at, ${valuesFrom(shape, 'n.record').join(', ')} FROM n
       ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, ${names.map((name) => `${name} = excluded.${name}`).join(', ')})
     SELECT ${unfitIn(shape, 'n.record')} AS unfit FROM n`,
    values,
  );
  const unfit = rows[0]?.unfit ?? [];
  if (unfit.length > 0)
    throw new UnfitItemError(
      `the columns ${unfit.join(', ')} of SINK_COLUMNS have types that the item does not fit`,
    );
}

/** A rewritten history may bring a revision back; it is then logged as applied again. */
async function logRevisions(
  client: PoolClient,
  { places, sinkId }: Session,
  id: string,
  commits: readonly Commit[],
): Promise<void> {
  await client.query(
    `INSERT INTO ${places.revisions} (sink, item, sha, committed_at, applied_at)
     SELECT $1, $2, sha, at, now() + nth * interval '1 microsecond'
     FROM unnest($3::text[], $4::timestamptz[]) WITH ORDINALITY AS new (sha, at, nth)
     ON CONFLICT (sink, item, sha) DO UPDATE SET applied_at = excluded.applied_at`,
    [sinkId, id, commits.map(({ sha }) => sha), commits.map(({ at }) => at)],
  );
}

async function finish(session: Session, watermark: Date | null): Promise<void> {
  const { places, sinkId, changeSet } = session;
  await inWriteTransaction(session, async (client, sink) => {
    const at = watermark ?? sink.watermark;
    await client.query(`UPDATE ${places.sinks} SET watermark = $2 WHERE id = $1`, [sinkId, at]);
    const counts = await countChanges(client, session);
    await closeChangeSet(client, places, {
      id: changeSet,
      applied: { ...NOTHING_APPLIED, ...counts },
      watermark: at,
      beginsHistory: null,
    });
  });
}

async function isThere(client: PoolClient, { quoted }: LiveTable): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    quoted,
  ]);
  return rows[0]?.there === true;
}

/** Stores the item's old value, unless the set has one already. @returns whether the item is new */
async function rememberOld(
  client: PoolClient,
  { places, table, changeSet }: Session,
  id: string,
): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `WITH old AS (SELECT id, updated_at, ${recordOf(table.shape, 'l')} AS record FROM ${table.quoted} l WHERE id = $2),
     kept AS (
       INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record)
       SELECT $1, $2, CASE WHEN old.id IS NULL THEN 'added' ELSE 'updated' END, old.updated_at, old.record
       FROM (SELECT 1) one LEFT JOIN old ON true ON CONFLICT DO NOTHING)
     SELECT EXISTS (SELECT FROM old) AS there`,
    [changeSet, id],
  );
  if (rows[0] === undefined) throw new JobError('failed', `sink: cannot store the old value of item ${id}`);
  return !rows[0].there;
}

async function rememberNew(
  client: PoolClient,
  { places, table, changeSet }: Session,
  id: string,
): Promise<void> {
  await client.query(
    `UPDATE ${places.changes} c SET new_hash = ${hashOf('l', recordOf(table.shape, 'l'))} FROM ${table.quoted} l
     WHERE c.change_set = $1 AND c.id = $2 AND l.id = $2`,
    [changeSet, id],
  );
}
