/** Losses as the api shows them: the waiting set with its approvals and the job that removes it. */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { LossStatus } from '../../domain/loss.ts';
import type { Db, LossesTable, Tx } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';

export type LossView = Selectable<LossesTable> & {
  /** Approvals since the set last changed that have not led to a removal that has ended. */
  readonly approvals: readonly {
    readonly by_id: string;
    readonly by: string;
    readonly reason: string;
    readonly at: string;
  }[];
  /** Waiting: the active job that removes it. Resolved: the removal that resolved it. */
  readonly removal_job_id: number | null;
};

export type LossFilter = {
  readonly env?: string | undefined;
  readonly target?: string | undefined;
  /** Undefined: all. */
  readonly status?: LossStatus | undefined;
};

/** The uuid of a removal in the options of its job. */
export const REMOVAL_IN_OPTIONS = sql<string>`
  substring(options FROM '--approval ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})')::uuid`;

/** Continue it with WHERE; the loss is `l`. */
const view = sql`
  SELECT l.*,
    CASE l.status WHEN 'waiting' THEN active.id
      ELSE (SELECT j.id FROM jobs j WHERE j.id = l.job_id AND j.action = 'remove') END AS removal_job_id,
    coalesce((
      SELECT jsonb_agg(jsonb_build_object('by_id', a.by_id, 'by', a.by_name, 'reason', a.reason, 'at', a.at)
        ORDER BY a.at)
      FROM loss_approvals a WHERE a.loss_id = l.id AND a.digest = l.digest
        AND (a.removal IS NULL AND a.at >= l.changed_at OR a.removal = active.removal OR l.status = 'resolved' AND a.removal IS NOT NULL)), '[]'::jsonb) AS approvals
  FROM losses l LEFT JOIN LATERAL (
    SELECT id, ${REMOVAL_IN_OPTIONS} AS removal FROM jobs
    WHERE env = l.env AND target = l.target AND action = 'remove' AND status IN ${ACTIVE}
      AND ${REMOVAL_IN_OPTIONS} IS NOT NULL
  ) AS active ON l.status = 'waiting'`;

/** Waiting ones first, the oldest of them at the top; then resolved ones, the newest first. */
export async function listLosses(
  db: Db,
  { env, target, status }: LossFilter,
  page: { limit: number; offset: number },
): Promise<LossView[]> {
  const where: RawBuilder<unknown>[] = [sql`true`];
  if (env !== undefined) where.push(sql`l.env = ${env}`);
  if (target !== undefined) where.push(sql`l.target = ${target}`);
  if (status !== undefined) where.push(sql`l.status = ${status}`);
  const { rows } = await sql<LossView>`${view} WHERE ${sql.join(where, sql` AND `)}
    ORDER BY l.resolved_at DESC NULLS FIRST, l.born_at, l.id LIMIT ${page.limit} OFFSET ${page.offset}`.execute(
    db,
  );
  return rows;
}

export async function readLoss(db: Db, id: number): Promise<LossView | undefined> {
  const { rows } = await sql<LossView>`${view} WHERE l.id = ${id}`.execute(db);
  return rows[0];
}

/**
 * The waiting loss of a key, locked until the transaction ends: uploads and answers of one key queue here. The key is
 * locked first, since a loss that is about to be born has no row yet.
 */
export async function lockWaiting(
  tx: Tx,
  { env, target }: Key,
): Promise<Selectable<LossesTable> | undefined> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`loss ${env} ${target}`}, 0))`.execute(tx);
  return await tx
    .selectFrom('losses')
    .selectAll()
    .where('env', '=', env)
    .where('target', '=', target)
    .where('status', '=', 'waiting')
    .forUpdate()
    .executeTakeFirst();
}

export type LossNumbers = Key & { readonly count: number; readonly born_at: Date };

/** What waits of every key, for the metrics. */
export async function listWaiting(db: Db): Promise<LossNumbers[]> {
  return await db
    .selectFrom('losses')
    .select(['env', 'target', 'count', 'born_at'])
    .where('status', '=', 'waiting')
    .execute();
}
