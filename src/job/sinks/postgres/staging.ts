/** Staging of a load: the source's listing in its own UNLOGGED table, filled batch by batch, with a cursor. */
import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { reasonOf, WrongLoadError } from '../../job-error.ts';
import type { BeginLoad, Load, LoadBatch, Turn } from '../sink.ts';
import { inTransaction, LOADING, READ_COMMITTED } from './connect.ts';
import { copyListing } from './copy.ts';
import { fenced, holdsFence } from './fence.ts';
import { readPlan } from './kept-plan.ts';
import { quoted, stagingName, stagingPrefix } from './places.ts';
import { typedNames } from './shape.ts';
import { inStateTransaction, retryTransaction, type Session } from './session.ts';
import { causeOf, passingFault, sqlState } from './sink-fault.ts';

const NO_TABLE = '42P01';

type LoadRow = { id: string; began: Date; cursor: string | null; done: string };

export async function beginLoad(session: Session, input: BeginLoad): Promise<Load> {
  const { places, sinkId, writer } = session;
  const { mode } = input;
  const columns = session.options.columns.list;
  const resumed = await inStateTransaction(session, (client) => findLoad(client, session, input));
  if (resumed) {
    const { id, began, cursor, done } = resumed;
    return { id, mode, began, cursor, done: Number(done), resumed: true };
  }
  await dropLeftovers(session);
  const id = randomUUID();
  await inStateTransaction(session, async (client) => {
    if (!(await holdsFence(client, places, { sinkId, run: writer.run })))
      throw fenced(places, 'a newer run has opened it');
    await client.query(
      `CREATE UNLOGGED TABLE IF NOT EXISTS ${places.staging(sinkId, id)} (id text NOT NULL, updated_at timestamptz, record jsonb${typedNames(columns)})`,
    );
    await client.query(
      `INSERT INTO ${places.loads} (id, sink, mode, since, began) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [id, sinkId, mode, input.since, input.began],
    );
  });
  return { id, mode, began: input.began, cursor: null, done: 0, resumed: false };
}

/** The load to resume, if it has the same mode and `since`. A server crash empties its tables, so none is found. */
async function findLoad(
  client: PoolClient,
  { places, sinkId }: Session,
  { resume, mode, since }: BeginLoad,
): Promise<LoadRow | null> {
  if (resume === null) return null;
  const { rows } = await client.query<LoadRow>(
    `SELECT id, began, cursor, done FROM ${places.loads}
     WHERE id = $1 AND sink = $2 AND mode = $3 AND since IS NOT DISTINCT FROM $4 AND to_regclass($5) IS NOT NULL`,
    [resume, sinkId, mode, since, places.staging(sinkId, resume)],
  );
  return rows[0] ?? null;
}

/**
 * Writes a batch and its cursor in one transaction; the cursor moves only from this run's position and under its
 * fence.
 */
export async function loadBatch(session: Session, load: Load, batch: LoadBatch, turn: Turn): Promise<void> {
  const { pool, places, sinkId, writer } = session;
  const columns = session.options.columns.list;
  const write = (): Promise<void> =>
    inTransaction(pool, LOADING, async (client) => {
      await copyListing(client, places.staging(sinkId, load.id), { ...batch, columns });
      await turn;
      const { rowCount } = await client.query(
        `UPDATE ${places.loads} l SET cursor = $3, done = done + $4 FROM ${places.sinks} s
         WHERE l.id = $1 AND s.id = l.sink AND s.run = $2 AND l.cursor IS NOT DISTINCT FROM $5`,
        [load.id, writer.run, batch.to, sizeOf(batch), batch.from],
      );
      if (rowCount !== 1) await explainRefusal(client, session, { load, to: batch.to });
    });
  try {
    await retryTransaction(session, write);
  } catch (error) {
    // A newer run has dropped the table: report that reason.
    if (sqlState(error) === NO_TABLE)
      await inStateTransaction(session, (client) => explainRefusal(client, session, { load, to: batch.to }));
    if (!(causeOf(error) instanceof AlreadyLoaded)) throw error;
  }
}

function sizeOf({ records, listed, gone = [] }: LoadBatch): number {
  return records.length + listed.length + gone.length;
}

/** @throws AlreadyLoaded after a lost answer to COMMIT; else JobError */
async function explainRefusal(
  client: PoolClient,
  { places, sinkId, writer }: Session,
  { load, to }: { load: Load; to: string },
): Promise<void> {
  const { rows } = await client.query<{ there: boolean; cursor: string | null; ours: boolean }>(
    `SELECT l.id IS NOT NULL AS there, l.cursor, s.run = $2 AS ours
     FROM ${places.sinks} s LEFT JOIN ${places.loads} l ON l.id = $1 WHERE s.id = $3`,
    [load.id, writer.run, sinkId],
  );
  const found = rows[0];
  if (found?.ours && !found.there)
    throw new WrongLoadError('the load no longer exists (a crash of Postgres empties it); run the job again');
  if (found?.ours && found.cursor === to) throw new AlreadyLoaded();
  throw fenced(places, 'another run continues this load, or a newer run has opened the sink');
}

/** Rolls back a batch that is already loaded. */
class AlreadyLoaded extends Error {
  override readonly name = 'AlreadyLoaded';
}

/**
 * Drops staging tables of earlier loads, without waiting for locks, which a dump may hold. The load of the plan stays as
 * long as that can be applied.
 */
export async function dropLeftovers(
  session: Session,
  { plan = 'stays' }: { plan?: 'stays' | 'goes' } = {},
): Promise<void> {
  const { names, planned } = await inStateTransaction(session, async (client) => {
    const found = plan === 'stays' ? await readPlan(client, session) : null;
    return {
      names: await listStaging(client, session),
      planned: found === null || found.expired ? null : found.load,
    };
  });
  const stays = planned === null ? null : stagingName(session.sinkId, planned);
  for (const name of names) if (name !== stays) await drop(session, name, { except: planned });
}

/** Names of the staging tables of the sink. */
async function listStaging(client: PoolClient, { places, sinkId }: Session): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = $1 AND relkind = 'r' AND starts_with(relname, $2)`,
    [places.stateSchema, stagingPrefix(sinkId)],
  );
  return rows.map(({ name }) => name);
}

/** Erases records from staging tables that could not be dropped. A load that lacks records is not resumed. */
export async function eraseStaged(
  client: PoolClient,
  session: Session,
  ids: readonly string[],
): Promise<void> {
  for (const table of await listStaging(client, session))
    await client.query(
      `DELETE FROM ${quoted({ schema: session.places.stateSchema, table })} WHERE id = ANY ($1::text[])`,
      [ids],
    );
}

export async function dropStaging(session: Session, id: string): Promise<void> {
  await drop(session, stagingName(session.sinkId, id), { only: id });
}

/**
 * Drops a staging table only while this run holds the fence: a newer run may resume the load.
 * @param loads the load to forget, or every load of the sink but that of a plan
 */
async function drop(
  session: Session,
  table: string,
  loads: { readonly only: string } | { readonly except: string | null },
): Promise<void> {
  const { pool, places, sinkId, writer } = session;
  try {
    await inTransaction(pool, `${READ_COMMITTED}; SET LOCAL lock_timeout = '1s'`, async (client) => {
      if (!(await holdsFence(client, places, { sinkId, run: writer.run }))) return;
      await client.query(`DROP TABLE IF EXISTS ${quoted({ schema: places.stateSchema, table })}`);
      await client.query(
        `DELETE FROM ${places.loads} WHERE sink = $1 AND id = coalesce($2, id) AND id IS DISTINCT FROM $3::uuid`,
        [sinkId, 'only' in loads ? loads.only : null, 'only' in loads ? null : loads.except],
      );
    });
  } catch (error) {
    if (passingFault(error) === null) throw error;
    session.log(
      `cannot drop ${table} in schema ${places.stateSchema}; the next load drops it: ${reasonOf(error)}`,
    );
  }
}

/** What a load holds. */
export type Staged = {
  /** Listed ids, without those that are told as deleted. */
  readonly listed: number;
  /** Of them, those with a record. */
  readonly records: number;
  /** Bytes of the records as they are stored: compressed, if they are large. null: not asked for. */
  readonly bytes: number | null;
};

/**
 * Counts, and weighs if asked, in one pass. Reads no large record.
 *
 * @throws WrongLoadError unless staging holds all loaded records: after a crash it is empty, which would mean
 *   "remove all"
 */
export async function countStaging(
  client: PoolClient,
  { places, sinkId }: Session,
  load: Load,
  { weigh }: { weigh: boolean },
): Promise<Staged> {
  const { rows: tables } = await client.query<{ done: string }>(
    `SELECT done FROM ${places.loads} WHERE id = $1 AND to_regclass($2) IS NOT NULL`,
    [load.id, places.staging(sinkId, load.id)],
  );
  const done = tables[0] ? Number(tables[0].done) : null;
  if (done === null)
    throw new WrongLoadError('the load no longer exists (a crash of Postgres empties it); run the job again');
  const { rows } = await client.query<{ count: string; records: string; gone: string; bytes: string | null }>(
    `SELECT count(*), count(record) AS records,
       count(*) FILTER (WHERE record IS NULL AND updated_at IS NOT NULL) AS gone,
       ${weigh ? 'coalesce(sum(pg_column_size(record)), 0)' : 'NULL'} AS bytes
     FROM ${places.staging(sinkId, load.id)}`,
  );
  const found = rows[0];
  const count = Number(found?.count);
  if (count !== done)
    throw new WrongLoadError(`${count} of ${done} records are in the load; run the job again`);
  return {
    listed: count - Number(found?.gone),
    records: Number(found?.records),
    bytes: found?.bytes ? Number(found.bytes) : null,
  };
}

/** Creates an index on id for access by slices. Safe to repeat. */
export async function indexStaging(client: PoolClient, staging: string): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1::regclass) AS there',
    [staging],
  );
  if (rows[0]?.there === true) return;
  await client.query(`CREATE INDEX ON ${staging} (id)`);
  await client.query(`ANALYZE ${staging}`);
}
