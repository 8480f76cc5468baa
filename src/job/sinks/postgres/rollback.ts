/**
 * Restores the data from before a job, or some records of it: each record changed since gets the oldest value stored in the sets from
 * the job's first one on. Interrupted and undone sets and earlier rollbacks count too, since they also changed
 * records. A rollback is a change set itself, so it can be undone.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { Applied, RollbackTo } from '../sink.ts';
import { type ChangeSet, closeChangeSet, findAppliedRollback, readChangeSet } from './change-sets.ts';
import { countChanges, countLive, writeDifference } from './difference.ts';
import { findGoal, nameOf } from './history.ts';
import { forgetGone, keepRecords, keepRolledBack } from './keep.ts';
import { createParameters } from './parameters.ts';
import { earlierRows, refuseOtherEffect } from './rollback-effect.ts';
import { type Session, inWriteTransaction } from './session.ts';
import { recordOf, unfitIn } from './shape.ts';
import { restoreSourceState } from './source-states.ts';
import { writeChanges } from './write-changes.ts';

/** Safe to repeat: returns at once if this job, or one that it resumes, has applied the rollback. */
export async function rollBack(session: Session, to: RollbackTo): Promise<Applied> {
  const { places, sinkId, changeSet, writer } = session;
  return await inWriteTransaction(session, async (client, { watermark }) => {
    const own = await readChangeSet(client, places, changeSet);
    const done =
      own.state === 'applied'
        ? own
        : await findAppliedRollback(client, places, { sink: sinkId, originUid: writer.originUid });
    if (done?.counts) return done.counts;
    const goal = await findGoal(client, places, { sink: sinkId, before: to.before, except: changeSet });
    await refuseOtherEffect(client, session, { ...to, goal });
    const what = to.only === undefined ? 'the data' : 'some records';
    session.log(`restoring ${what} from before ${nameOf(goal)}`);
    return await undo(client, session, { goal, only: to.only, watermark });
  });
}

async function undo(
  client: PoolClient,
  session: Session,
  { goal, only, watermark }: { goal: ChangeSet; only: RollbackTo['only']; watermark: Date | null },
): Promise<Applied> {
  const { places, sinkId, changeSet } = session;
  const staging = places.staging(sinkId, `undo${changeSet}`);
  const { bind, values } = createParameters();
  const earlier = earlierRows(
    { places, shape: session.table.shape },
    { sink: sinkId, goal, except: changeSet, only },
    bind,
  );
  await client.query(`CREATE TABLE ${staging} AS ${earlier}`, values);
  await refuseUnfit(client, session, staging);
  const live = await countLive(client, session);
  await writeDifference(client, session, { staging, mode: 'changes' });
  await client.query(
    `INSERT INTO ${places.changes} (change_set, id, kind, old_updated_at, old_record)
     SELECT $1, l.id, 'removed', l.updated_at, ${recordOf(session.table.shape, 'l')} FROM ${session.table.quoted} l JOIN ${staging} n ON n.id = l.id
     WHERE n.record IS NULL`,
    [changeSet],
  );
  const kept = await keepRecords(client, session, {
    plan: { mayRemove: true, force: true, answered: null, settles: false },
    synced: true,
  });
  const counts = await countChanges(client, session);
  await writeChanges(client, session, { staging, counts, mayReject: 0 });
  await forgetGone(client, session);
  await keepRolledBack(client, session);
  await client.query(`DROP TABLE ${staging}`);
  if (only === undefined) await goBack(client, session, goal);
  const applied: Applied = { ...counts, live, listed: 0, kept, missed: null, rejected: [] };
  await closeChangeSet(client, places, {
    id: changeSet,
    applied,
    watermark: only === undefined ? goal.watermark_before : watermark,
    beginsHistory: null,
  });
  return applied;
}

/** The jobs from `goal` on count as undone. After a rollback of some records they do not. */
async function goBack(client: PoolClient, session: Session, goal: ChangeSet): Promise<void> {
  const { places, sinkId, changeSet } = session;
  await client.query(
    `UPDATE ${places.sinks} SET watermark = $2, proven = $3, coarse_times = $4 WHERE id = $1`,
    [sinkId, goal.watermark_before, goal.proven_before, goal.coarse_before],
  );
  await client.query(`UPDATE ${places.changeSets} SET back_to = $2 WHERE id = $1`, [changeSet, goal.id]);
  await restoreSourceState(client, session, goal);
}

/** Earlier records may be older than the list of columns, or written by others. @throws JobError `nothingToRollBack` */
async function refuseUnfit(
  client: PoolClient,
  { places, table: { shape } }: Session,
  staging: string,
): Promise<void> {
  if (shape.columns.length === 0) return;
  const { rows } = await client.query<{ id: string; columns: string[]; count: string }>(
    `SELECT id, columns, count(*) OVER () AS count
     FROM (SELECT id, ${unfitIn(shape, 'n.record')} AS columns FROM ${staging} n WHERE record IS NOT NULL) u
     WHERE columns <> '{}' ORDER BY id LIMIT 1`,
  );
  const first = rows[0];
  if (!first) return;
  throw new JobError(
    'nothingToRollBack',
    `${places.shown} cannot get its earlier data back: ${first.count} of the earlier records do not fit the columns of ` +
      `SINK_COLUMNS, such as ${JSON.stringify(first.id)} (${first.columns.join(', ')}); nothing was changed. Run a sync with ` +
      'types that they fit, then the rollback again',
  );
}
