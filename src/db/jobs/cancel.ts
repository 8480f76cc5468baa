/** Requests to cancel a job, or to give up on a lost node. One guarded UPDATE each. */
import { sql } from 'kysely';
import { audit, type By } from '../access/audit.ts';
import type { Db, JobRow } from '../schema.ts';
import { CANCELLABLE } from '../status-sql.ts';

export type Cancelled = {
  readonly job: JobRow;
  /** The request ended an unclaimed job, began a cancel, or changed nothing. */
  readonly effect: 'ended' | 'cancelling' | 'none';
};

/**
 * Undefined for an unknown id. Safe to repeat: the second time changes nothing. An unclaimed job ends at once, because
 * nothing of ours runs. An external executor learns of the cancel when its next update is rejected.
 */
export async function requestCancel(
  db: Db,
  { id, ...by }: { id: number } & By,
): Promise<Cancelled | undefined> {
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<JobRow>`
      UPDATE jobs SET
        status = CASE WHEN run_id IS NULL THEN 'deleted' ELSE 'cancelling' END,
        status_reason = CASE WHEN run_id IS NULL THEN NULL ELSE 'requested' END,
        status_detail = NULL,
        finished_at = CASE WHEN run_id IS NULL THEN now() END,
        cancel_requested_at = now(),
        cancel_requested_by = ${by.principal}
      WHERE id = ${id} AND status IN ${CANCELLABLE}
      RETURNING *`.execute(tx);
    const changed = rows[0];
    if (changed) {
      await audit(tx, { ...by, verb: 'cancel', object: `job ${id}` });
      return { job: changed, effect: changed.status === 'deleted' ? 'ended' : 'cancelling' };
    }
    const job = await tx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return job && { job, effect: 'none' };
  });
}

/** Sets the flag the worker acts on. False when the job is not `cancelling` (cancel it first). */
export async function requestForceDelete(db: Db, { id, ...by }: { id: number } & By): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const updated = await tx
      .updateTable('jobs')
      .set({ force_delete: true })
      .where('id', '=', id)
      .where('status', '=', 'cancelling')
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return false;
    await audit(tx, { ...by, verb: 'force-delete', object: `job ${id}` });
    return true;
  });
}
