/**
 * Keeps the text by which a source goes on (Source.state) as a part of the history: one row for each change set that moved the
 * watermark. The text counts only while its set is the newest of these, so whatever else moves the watermark, also an
 * older program, clears it.
 */
import type { PoolClient } from 'pg';
import type { ChangeSet } from './change-sets.ts';
import { inStateTransaction, type Session } from './session.ts';
import { lockStateSchema } from './state-schema.ts';

/** The text that belongs to the live data; null: none. Makes the table on first use. */
export async function readSourceState(session: Session): Promise<string | null> {
  return await inStateTransaction(session, async (client) => {
    if (!(await isThere(client, session))) await makeTable(client, session);
    return await stateBefore(client, session, null);
  });
}

/** Without a foreign key onto `change_sets`: adding it would wait for every job that writes into this database. */
async function makeTable(client: PoolClient, { places }: Session): Promise<void> {
  await lockStateSchema(client);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${places.sourceStates} (
       sink int NOT NULL, change_set bigint NOT NULL, state text NOT NULL, PRIMARY KEY (sink, change_set))`,
  );
}

async function isThere(client: PoolClient, { places }: Session): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1)) AS there',
    [places.sourceStates],
  );
  return rows[0]?.there === true;
}

/** Sets that leave the watermark: a delete, a removal, and a rollback of some records. */
const LEAVES_WATERMARK = `(c.action IN ('delete', 'remove') OR (c.action = 'rollback' AND c.back_to IS NULL))`;

/** @param goal null: the present one */
async function stateBefore(
  client: PoolClient,
  { places, sinkId, changeSet }: Session,
  goal: Pick<ChangeSet, 'id'> | null,
): Promise<string | null> {
  const { rows } = await client.query<{ state: string | null }>(
    `SELECT s.state FROM ${places.changeSets} c LEFT JOIN ${places.sourceStates} s ON s.sink = c.sink AND s.change_set = c.id
     WHERE c.sink = $1 AND c.state = 'applied' AND c.id <> $2 AND ($3::bigint IS NULL OR c.id < $3) AND NOT ${LEAVES_WATERMARK}
     ORDER BY c.id DESC LIMIT 1`,
    [sinkId, changeSet, goal?.id ?? null],
  );
  return rows[0]?.state ?? null;
}

/** A rollback to before more than so many deltas finds none, so that the next delta compares everything. */
const MOST_KEPT = 100;

/** Erases all of them, since any may name a record. The next delta compares everything. */
export async function forgetSourceStates(client: PoolClient, session: Session): Promise<void> {
  if (!(await isThere(client, session))) return;
  const { places, sinkId } = session;
  await client.query(`DELETE FROM ${places.sourceStates} WHERE sink = $1`, [sinkId]);
}

/** In the transaction that moves the watermark. */
export async function keepSourceState(
  client: PoolClient,
  { places, sinkId, changeSet }: Session,
  state: string,
): Promise<void> {
  await client.query(
    `DELETE FROM ${places.sourceStates} s WHERE sink = $1
       AND (NOT EXISTS (SELECT FROM ${places.changeSets} c WHERE c.sink = $1 AND c.id = s.change_set)
         OR change_set <= (SELECT change_set FROM ${places.sourceStates} WHERE sink = $1
              ORDER BY change_set DESC OFFSET ${MOST_KEPT - 1} LIMIT 1))`,
    [sinkId],
  );
  await client.query(
    `INSERT INTO ${places.sourceStates} (sink, change_set, state) VALUES ($1, $2, $3)
     ON CONFLICT (sink, change_set) DO UPDATE SET state = excluded.state`,
    [sinkId, changeSet, state],
  );
}

/** The text of the data that a rollback restores. */
export async function restoreSourceState(
  client: PoolClient,
  session: Session,
  goal: Pick<ChangeSet, 'id'>,
): Promise<void> {
  if (!(await isThere(client, session))) return;
  const state = await stateBefore(client, session, goal);
  if (state !== null) await keepSourceState(client, session, state);
}
