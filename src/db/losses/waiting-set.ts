/** Changes the waiting set of a key in one transaction: its digest, its counts, and what has changed about it. */
import { type Selectable, sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { LossesTable, Tx } from '../schema.ts';
import { lockWaiting } from './losses.ts';

type Loss = Selectable<LossesTable>;

/** An upload that is complete, and the job that sent it. */
export type Told = Key & {
  readonly uploadId: number;
  readonly stored: number;
  readonly live: number;
  readonly jobId: number;
  readonly startedBy: string;
  /** False for a removal and a rollback, which read no listing: who caused the loss stays as it was. */
  readonly isCause: boolean;
};

/** Makes an upload the waiting set of its key. An empty one resolves the loss, if there is one. */
export async function replaceSet(tx: Tx, told: Told): Promise<void> {
  const before = await lockWaiting(tx, told);
  if (told.stored === 0) return before && (await resolve(tx, before, told));
  const now = await countSet(tx, { ...told, uploadBefore: before?.upload_id ?? null });
  const cause =
    before && !told.isCause
      ? {}
      : {
          started_by: told.startedBy,
          caused_by: [...new Set([...(before?.caused_by ?? []), told.startedBy])],
        };
  const fields = {
    upload_id: told.uploadId,
    job_id: told.jobId,
    live: told.live,
    count: now.count,
    pinned: now.pinned,
    digest: now.digest,
  };
  const at = sql<Date>`now()`;
  const loss = before
    ? await tx
        .updateTable('losses')
        .set({ ...fields, ...cause, ...timesOf(before, now) })
        .where('id', '=', before.id)
        .returningAll()
        .executeTakeFirstOrThrow()
    : await tx
        .insertInto('losses')
        .values({
          ...fields,
          env: told.env,
          target: told.target,
          started_by: told.startedBy,
          caused_by: [told.startedBy],
          status: 'waiting',
          reason: 'over_threshold',
          born_at: at,
          changed_at: at,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
  const gone = (before?.count ?? 0) - (now.count - now.added);
  await noteChange(tx, { before, loss, added: now.added, gone, what: `job ${told.jobId}` });
}

/** Counts the set again after its pins have changed. @param what led to it, in words */
export async function recountSet(tx: Tx, before: Loss, what: string): Promise<void> {
  if (before.upload_id === null) return;
  const { env, target, upload_id: uploadId } = before;
  const now = await countSet(tx, { env, target, uploadId, uploadBefore: null });
  const loss = await tx
    .updateTable('losses')
    .set({ count: now.count, pinned: now.pinned, digest: now.digest, ...timesOf(before, now) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const added = Math.max(0, now.count - before.count);
  const gone = Math.max(0, before.count - now.count);
  await noteChange(tx, { before, loss, added, gone, what });
}

type Counted = { count: number; pinned: number; added: number; digest: string };

/**
 * The digest is made in Postgres, so that half a million ids never travel. Groups instead of joins: they take the same
 * time whatever Postgres believes of tables that were filled a moment ago.
 * `added`: waiting records that the upload before lacks.
 */
async function countSet(
  tx: Tx,
  of: Key & { uploadId: number; uploadBefore: number | null },
): Promise<Counted> {
  const { rows } = await sql<Counted>`
    WITH named AS (
      SELECT id, 'set' AS by FROM loss_records WHERE upload_id = ${of.uploadId}
      UNION ALL SELECT id, 'before' FROM loss_records WHERE upload_id = ${of.uploadBefore}::bigint
      UNION ALL SELECT id, 'pin' FROM loss_pins WHERE env = ${of.env} AND target = ${of.target}
    ), found AS (
      SELECT id, NOT bool_or(by = 'pin') AS waits, NOT bool_or(by = 'before') AS is_new
      FROM named GROUP BY id HAVING bool_or(by = 'set')
    )
    SELECT count(*) FILTER (WHERE waits)::int AS count, count(*) FILTER (WHERE NOT waits)::int AS pinned,
      count(*) FILTER (WHERE waits AND is_new)::int AS added,
      left(encode(sha256(convert_to(coalesce(
        string_agg(to_json(id)::text || E'\\n', '' ORDER BY id) FILTER (WHERE waits), ''), 'UTF8')), 'hex'), 32) AS digest
    FROM found`.execute(tx);
  return rows[0] ?? { count: 0, pinned: 0, added: 0, digest: '' };
}

/** A set that nothing of was waiting is born again when something waits. */
function timesOf(before: Loss, now: Counted) {
  const at = sql<Date>`now()`;
  return {
    ...(before.count === 0 && now.count > 0 ? { born_at: at } : {}),
    ...(before.digest === now.digest ? {} : { changed_at: at }),
  };
}

async function resolve(tx: Tx, { id }: Loss, { jobId, live }: Told): Promise<void> {
  await tx
    .updateTable('losses')
    .set({ status: 'resolved', resolved_at: sql<Date>`now()`, upload_id: null, job_id: jobId, live })
    .where('id', '=', id)
    .execute();
}

/** Records a new digest, and queues a notice for a set that is born or has grown. */
async function noteChange(
  tx: Tx,
  of: { before: Loss | undefined; loss: Loss; added: number; gone: number; what: string },
): Promise<void> {
  const { before, loss, added, gone, what } = of;
  if (before?.digest === loss.digest) return;
  await tx
    .insertInto('loss_changes')
    .values({ loss_id: loss.id, digest: loss.digest, added, gone, what })
    .execute();
  if (added === 0) return;
  await sql`
    WITH told AS (UPDATE losses SET noticed_at = now() WHERE id = ${loss.id} RETURNING *)
    INSERT INTO notices (event, env, target, job_id, loss_id)
    SELECT 'losses_waiting', env, target, job_id, id FROM told`.execute(tx);
}
