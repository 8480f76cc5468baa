/** Changes the waiting set of a key in one transaction: its digest, its counts, and what has changed about it. */
import { createHash } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { LossesTable, Tx } from '../schema.ts';
import type { LossReason } from '../../domain/loss.ts';
import { lockWaiting } from './losses.ts';
import { readSet } from './set-pages.ts';

type Loss = Selectable<LossesTable>;

const USUAL_REASON: LossReason = 'over_threshold';

/** An upload that is complete, and the job that sent it. */
export type Told = Key & {
  readonly uploadId: number;
  readonly stored: number;
  readonly live: number;
  readonly reason?: LossReason | undefined;
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
          ...(now.added > 0 ? { reason: told.reason ?? USUAL_REASON } : {}),
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
          reason: told.reason ?? USUAL_REASON,
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
 * Each waiting id is a line of JSON in the digest, in byte order.
 * `added`: waiting records that the upload before lacks.
 */
async function countSet(
  tx: Tx,
  of: Key & { uploadId: number; uploadBefore: number | null },
): Promise<Counted> {
  const hash = createHash('sha256');
  const counts = { count: 0, pinned: 0, added: 0 };
  for await (const rows of readSet(tx, of))
    for (const { id, pinned, is_new: isNew } of rows) {
      if (pinned) {
        counts.pinned += 1;
        continue;
      }
      counts.count += 1;
      if (isNew) counts.added += 1;
      hash.update(`${JSON.stringify(id)}\n`);
    }
  return { ...counts, digest: hash.digest('hex').slice(0, 32) };
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
