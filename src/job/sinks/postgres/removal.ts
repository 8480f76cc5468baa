/**
 * Removes approved records in one transaction, as a change set that a rollback can undo. The ids come in batches and are
 * staged like a listing: those that the source has again with an empty record, the others without one.
 */
import type { PoolClient } from 'pg';
import type { Applied, Load, Removal } from '../sink.ts';
import { closeChangeSet, readChangeSet } from './change-sets.ts';
import { countChanges, countLive } from './difference.ts';
import { purgeHistory } from './history.ts';
import { countHeld, forgetGone, keepRecords } from './keep.ts';
import { inWriteTransaction, type Session } from './session.ts';
import { recordOf } from './shape.ts';
import { beginLoad, countStaging, dropLeftovers, loadBatch } from './staging.ts';
import { writeChanges } from './write-changes.ts';

export async function beginRemoval(session: Session): Promise<Removal> {
  const load = await beginLoad(session, { mode: 'ids', since: null, began: new Date(), resume: null });
  let batches = 0;
  return {
    async add({ there, gone }) {
      const from = batches === 0 ? null : String(batches);
      batches += 1;
      const to = String(batches);
      const updatedAt = new Date().toISOString();
      const records = there.map((id) => ({ id, updated_at: updatedAt, record: {} }));
      await loadBatch(session, load, { records, listed: gone, from, to }, Promise.resolve());
    },
    async apply() {
      const applied = await inWriteTransaction(session, (client, { watermark }) =>
        removeApproved(client, session, { load, watermark }),
      );
      await dropLeftovers(session);
      await purgeHistory(session);
      return applied;
    },
  };
}

async function removeApproved(
  client: PoolClient,
  session: Session,
  { load, watermark }: { load: Load; watermark: Date | null },
): Promise<Applied> {
  const { places, sinkId, changeSet } = session;
  const { state, counts: made } = await readChangeSet(client, places, changeSet);
  // A lost answer to COMMIT.
  if (state === 'applied' && made) return made;
  const staging = places.staging(sinkId, load.id);
  await countStaging(client, session, load, { weigh: false });
  const live = await countLive(client, session);
  await writeRemovals(client, session, staging);
  const { referenced = 0 } = await keepRecords(client, session, {
    plan: { mayRemove: true, force: true, answered: null },
    synced: true,
  });
  const counts = await countChanges(client, session);
  await writeChanges(client, session, { staging, counts, mayReject: 0 });
  await client.query(
    `DELETE FROM ${places.kept} k USING ${staging} n WHERE k.sink = $1 AND k.reason = 'held' AND n.id = k.id AND n.record IS NOT NULL`,
    [sinkId],
  );
  await forgetGone(client, session);
  const held = await countHeld(client, session);
  const kept = { ...(referenced > 0 ? { referenced } : {}), ...(held > 0 ? { held } : {}) };
  const applied: Applied = { ...counts, live, listed: 0, kept, missed: null, rejected: [] };
  await closeChangeSet(client, places, { id: changeSet, applied, watermark, beginsHistory: null });
  return applied;
}

/** Only what is held can go, whatever the approval names. */
async function writeRemovals(
  client: PoolClient,
  { places, sinkId, changeSet, table }: Session,
  staging: string,
): Promise<void> {
  await client.query(
    `INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record)
     SELECT $1, l.id, 'removed', l.updated_at, ${recordOf(table.shape, 'l')}
     FROM ${table.quoted} l JOIN ${places.kept} k ON k.id = l.id
     WHERE k.sink = $2 AND k.reason = 'held' AND l.id IN (SELECT id FROM ${staging} WHERE record IS NULL)`,
    [changeSet, sinkId],
  );
}
