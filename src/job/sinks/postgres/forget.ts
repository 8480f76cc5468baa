/**
 * Erases the earlier values of records for good: from the change sets, from the records set aside, from loads that have
 * not ended, and with every STATE of a connector. A rollback then leaves these records as they are. Live records stay.
 */
import type { PoolClient } from 'pg';
import { type Forgotten, NOTHING_APPLIED } from '../sink.ts';
import { closeChangeSet, readChangeSet } from './change-sets.ts';
import { type Session, inWriteTransaction } from './session.ts';
import { forgetSourceStates } from './source-states.ts';
import { dropLeftovers, eraseStaged } from './staging.ts';

/** Safe to repeat. */
export async function forgetRecords(session: Session, ids: readonly string[]): Promise<Forgotten> {
  await dropLeftovers(session, { plan: 'goes' });
  return await inWriteTransaction(session, async (client, { watermark }) => {
    const { places, changeSet } = session;
    // A dump may lock a load against its removal.
    await eraseStaged(client, session, ids);
    const values = await eraseValues(client, session, ids);
    await forgetSourceStates(client, session);
    const live = await liveAmong(client, session, ids);
    const { state } = await readChangeSet(client, places, changeSet);
    if (state !== 'applied')
      await closeChangeSet(client, places, {
        id: changeSet,
        applied: NOTHING_APPLIED,
        watermark,
        beginsHistory: null,
      });
    return { values, live };
  });
}

async function eraseValues(
  client: PoolClient,
  { places, sinkId }: Session,
  ids: readonly string[],
): Promise<number> {
  const { rowCount } = await client.query(
    `DELETE FROM ${places.changes} c USING ${places.changeSets} s
     WHERE s.id = c.change_set AND s.sink = $1 AND c.id = ANY ($2::text[])`,
    [sinkId, ids],
  );
  await client.query(`DELETE FROM ${places.rejected} r WHERE sink = $1 AND id = ANY ($2::text[])`, [
    sinkId,
    ids,
  ]);
  return rowCount ?? 0;
}

async function liveAmong(client: PoolClient, { table }: Session, ids: readonly string[]): Promise<string[]> {
  if (table.oid === null) return [];
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM ${table.quoted} WHERE id = ANY ($1::text[]) ORDER BY id`,
    [ids],
  );
  return rows.map(({ id }) => id);
}
