/** Queries of the reconciler: bounded pages, oldest first. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { expectWrites } from '../migrate.ts';
import type { Db } from '../schema.ts';
import { ACTIVE, CLAIMED, UNCLAIMED } from '../status-sql.ts';

const PAGE = 500;

/**
 * Keys whose job waits to be claimed, in id order. None while paused.
 * @param of.except jobs that no poke would help
 */
export async function listHeld(
  db: Db,
  { olderThanSeconds = 0, except = [] }: { olderThanSeconds?: number; except?: readonly number[] } = {},
): Promise<(Key & { id: number })[]> {
  const { rows } = await sql<Key & { id: number }>`
    SELECT id, env, target FROM jobs
    WHERE status IN ${UNCLAIMED} AND run_id IS NULL AND runner <> 'external'
      AND created_at <= now() - make_interval(secs => ${olderThanSeconds})
      AND NOT (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1)
      AND id <> ALL(${except}::integer[])
    ORDER BY id LIMIT ${PAGE}`.execute(db);
  return rows;
}

/** Claimed jobs that no workflow has observed for 20 s. */
export async function listUnobserved(db: Db): Promise<(Key & { id: number; runId: string })[]> {
  const { rows } = await sql<Key & { id: number; runId: string }>`
    SELECT id, env, target, run_id AS "runId" FROM jobs
    WHERE status IN ${CLAIMED} AND run_id IS NOT NULL
      AND observed_at < now() - interval '20 seconds'
    ORDER BY observed_at LIMIT ${PAGE}`.execute(db);
  return rows;
}

/** Jobs whose cancel was requested more than 2 s ago and that have not ended. */
export async function listCancelling(db: Db): Promise<(Key & { id: number; runId: string })[]> {
  const { rows } = await sql<Key & { id: number; runId: string }>`
    SELECT id, env, target, run_id AS "runId" FROM jobs
    WHERE status = 'cancelling' AND run_id IS NOT NULL
      AND cancel_requested_at < now() - interval '2 seconds'
    ORDER BY id LIMIT ${PAGE}`.execute(db);
  return rows;
}

/**
 * Which of these jobs (by uid) are active; all others are final or unknown to us.
 * @throws the driver's error if this very connection leads to a server that takes no writes: the old server of a
 * failover does not know newer jobs, even if other connections of the pool lead to the new one already
 */
export async function listActiveUids(db: Db, uids: readonly string[]): Promise<ReadonlySet<string>> {
  if (uids.length === 0) return new Set();
  return await db.transaction().execute(async (tx) => {
    await expectWrites(tx);
    const rows = await tx
      .selectFrom('jobs')
      .select('uid')
      .where('uid', 'in', uids)
      .where(sql<boolean>`status IN ${ACTIVE}`)
      .execute();
    return new Set(rows.map((row) => row.uid));
  });
}
