/** The maintenance flag and its history: the newest row is the state. */
import { sql } from 'kysely';
import { SOURCE_LIMIT } from '../domain/source-limit.ts';
import { audit, type By } from './access/audit.ts';
import type { Db } from './schema.ts';
import { CLAIMED } from './status-sql.ts';

export type Maintenance = {
  readonly paused: boolean;
  readonly msg: string;
  readonly set_by: string;
  readonly at: Date;
};

/** Sets the flag and, in the same transaction, moves unclaimed jobs into or out of `waiting (maintenance)`. */
export async function setMaintenance(
  db: Db,
  input: { paused: boolean; msg: string } & By,
): Promise<Maintenance> {
  return await db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('maintenance')
      .values({ paused: input.paused, msg: input.msg, set_by: input.principal })
      .returning(['paused', 'msg', 'set_by', 'at'])
      .executeTakeFirstOrThrow();
    await alignWaiting(tx);
    await audit(tx, {
      principal: input.principal,
      origin: input.origin,
      verb: input.paused ? 'pause' : 'unpause',
      object: 'maintenance',
      detail: { msg: input.msg },
    });
    return row;
  });
}

/**
 * Makes unclaimed jobs agree with the flag; also one that was submitted while the flag changed. A job that waits for its
 * source does so again when its next claim finds no place.
 */
export async function alignWaiting(db: Db): Promise<void> {
  await sql`
    UPDATE jobs SET
      status = CASE WHEN m.paused THEN 'waiting' ELSE 'queued' END,
      status_reason = CASE WHEN m.paused THEN 'maintenance' END,
      status_detail = NULL
    FROM (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1) AS m
    WHERE run_id IS NULL AND runner <> 'external'
      AND CASE WHEN m.paused THEN status = 'queued' OR (status = 'waiting' AND status_reason = ${SOURCE_LIMIT})
        ELSE status = 'waiting' AND status_reason = 'maintenance' END`.execute(db);
}

export async function readMaintenance(db: Db): Promise<Maintenance> {
  return await db
    .selectFrom('maintenance')
    .select(['paused', 'msg', 'set_by', 'at'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
}

/** The history, newest first. */
export async function listMaintenance(
  db: Db,
  page: { limit: number; offset: number },
): Promise<Maintenance[]> {
  return await db
    .selectFrom('maintenance')
    .select(['paused', 'msg', 'set_by', 'at'])
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
}

/** Number of jobs that are running, external ones included: a pause waits for them. */
export async function countRunning(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM jobs
    WHERE status IN ${CLAIMED}
      AND (run_id IS NOT NULL OR (runner = 'external' AND status = 'running'))`.execute(db);
  return rows[0]?.count ?? 0;
}
