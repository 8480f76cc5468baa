/** What the reconciler asks: bounded pages, oldest first (design.md §3.10). */
import { sql } from 'kysely';
import type { Key } from '../domain/job.ts';
import type { Db } from './schema.ts';

const PAGE = 500;

/** Keys whose job waits to be claimed, in id order. None while paused. */
export async function listHeld(db: Db, olderThanSeconds = 0): Promise<(Key & { id: number })[]> {
  const { rows } = await sql<Key & { id: number }>`
    SELECT id, env, target FROM jobs
    WHERE status IN ('queued', 'waiting') AND run_id IS NULL AND runner <> 'external'
      AND created_at <= now() - make_interval(secs => ${olderThanSeconds})
      AND NOT (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1)
    ORDER BY id LIMIT ${PAGE}`.execute(db);
  return rows;
}

/** Claimed jobs that nobody has looked at for 20 s. */
export async function listUnobserved(db: Db): Promise<(Key & { id: number; runId: string })[]> {
  const { rows } = await sql<Key & { id: number; runId: string }>`
    SELECT id, env, target, run_id AS "runId" FROM jobs
    WHERE status IN ('starting', 'waiting', 'running', 'cancelling') AND run_id IS NOT NULL
      AND observed_at < now() - interval '20 seconds'
    ORDER BY observed_at LIMIT ${PAGE}`.execute(db);
  return rows;
}

/** Jobs whose cancel was asked for more than 2 s ago and has not ended. */
export async function listCancelling(db: Db): Promise<(Key & { id: number; runId: string })[]> {
  const { rows } = await sql<Key & { id: number; runId: string }>`
    SELECT id, env, target, run_id AS "runId" FROM jobs
    WHERE status = 'cancelling' AND run_id IS NOT NULL
      AND cancel_requested_at < now() - interval '2 seconds'
    ORDER BY id LIMIT ${PAGE}`.execute(db);
  return rows;
}

/** Which of these jobs (by uid) are active; all others are final or unknown to us. */
export async function listActiveUids(db: Db, uids: readonly string[]): Promise<ReadonlySet<string>> {
  if (uids.length === 0) return new Set();
  const rows = await db
    .selectFrom('jobs')
    .select('uid')
    .where('uid', 'in', uids)
    .where('status', 'in', ['queued', 'waiting', 'starting', 'running', 'cancelling'])
    .execute();
  return new Set(rows.map((row) => row.uid));
}
