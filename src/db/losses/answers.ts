/** Stores a person's answer to a loss: an approval, with the removal that the last one starts, or a keep. */
import { randomUUID } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { isSamePerson } from '../../domain/loss.ts';
import { audit, type Origin } from '../access/audit.ts';
import type { Submission } from '../jobs/submission.ts';
import { isRefused, type RefusedSubmission, submitJobIn } from '../jobs/submit.ts';
import type { Db, JobRow, LossesTable, Tx } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';
import { REMOVAL_IN_OPTIONS } from './losses.ts';
import { findUnknown, pin, pinAll } from './pins.ts';
import { freezeIds } from './removals.ts';
import { recountSet } from './waiting-set.ts';

type Loss = Selectable<LossesTable>;

type Answer = {
  readonly lossId: number;
  /** Of the set as the caller has seen it. */
  readonly digest: string;
  readonly reason: string;
  /** The caller: an id for ever, and the name in records. */
  readonly by: { readonly id: string; readonly shown: string };
  readonly origin: Origin | undefined;
};

export type Approval = Answer & {
  /** Chosen by the caller: the same uid again finds what the first call stored. */
  readonly uid: string;
  /** People who must approve. */
  readonly needed: number;
  /** The removal, given the uuid of its approval. */
  readonly removal: (approval: string) => Submission;
};

/** Why an answer changes nothing. */
export type AnswerRefusal =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'resolved' }
  | { readonly kind: 'changed'; readonly loss: Loss; readonly since: Since | undefined }
  | { readonly kind: 'removal_active'; readonly jobId: number; readonly isMine: boolean }
  | { readonly kind: 'own_job' }
  | { readonly kind: 'already_approved' }
  | { readonly kind: 'nothing_waits' }
  | { readonly kind: 'not_in_set'; readonly id: string }
  | { readonly kind: 'busy'; readonly submitted: RefusedSubmission };

export type Approved =
  | { readonly kind: 'approved'; readonly job: JobRow | undefined }
  | Exclude<AnswerRefusal, { kind: 'not_in_set' }>;
export type Kept =
  | { readonly kind: 'kept' }
  | Exclude<AnswerRefusal, { kind: 'own_job' | 'already_approved' | 'nothing_waits' | 'busy' }>;

/** What has changed since the set with the caller's digest; undefined if the loss never had it. */
export type Since = { readonly added: number; readonly gone: number; readonly by: string };

class Undo extends Error {
  readonly result: Extract<AnswerRefusal, { kind: 'busy' }>;
  constructor(submitted: RefusedSubmission) {
    super('undo');
    this.result = { kind: 'busy', submitted };
  }
}

/**
 * Stores an approval; the last one that is needed stores the removal's job with it, or neither is stored. After a lost
 * connection call it again with the same uid.
 */
export async function approveLoss(db: Db, approval: Approval): Promise<Approved> {
  try {
    return await db.transaction().execute(async (tx) => await approveIn(tx, approval));
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

async function approveIn(tx: Tx, approval: Approval): Promise<Approved> {
  const loss = await lockLoss(tx, approval.lossId);
  if (!loss) return { kind: 'unknown' };
  const mine = await findApproval(tx, approval.uid);
  if (mine) return { kind: 'approved', job: mine.job };
  const refusal = await refusalOf(tx, loss, approval);
  if (refusal) return refusal;
  if (loss.caused_by.some((starter) => isSamePerson(starter, approval.by.shown))) return { kind: 'own_job' };
  const before = await listApprovers(tx, loss);
  if (before.includes(approval.by.id)) return { kind: 'already_approved' };
  if (loss.count === 0 || loss.upload_id === null) return { kind: 'nothing_waits' };
  const { uid, by, reason } = approval;
  await tx
    .insertInto('loss_approvals')
    .values({
      uid,
      loss_id: loss.id,
      digest: loss.digest,
      by_id: by.id,
      by_name: by.shown,
      reason,
      removal: null,
    })
    .execute();
  const isLast = before.length + 1 >= approval.needed;
  const job = isLast ? await startRemoval(tx, { ...loss, upload_id: loss.upload_id }, approval) : undefined;
  const { digest, count } = loss;
  await noteAnswer(tx, loss, approval, 'approve-loss', {
    digest,
    count,
    approvals: before.length + 1,
    needed: approval.needed,
    ...(job ? { job: job.id } : {}),
  });
  return { kind: 'approved', job };
}

/** Freezes the ids first: the row of the job, which others may wait for, is locked last. @throws Undo if the key is busy */
async function startRemoval(tx: Tx, loss: Loss & { upload_id: number }, approval: Approval): Promise<JobRow> {
  const uid = randomUUID();
  const { id, env, target, digest, count } = loss;
  await tx.insertInto('loss_removals').values({ uid, loss_id: id, digest, count, job_id: null }).execute();
  await freezeIds(tx, { removal: uid, uploadId: loss.upload_id, env, target });
  await tx
    .updateTable('loss_approvals')
    .set({ removal: uid })
    .where('loss_id', '=', id)
    .where('digest', '=', digest)
    .where('removal', 'is', null)
    // As those that are counted (listApprovers): an older one is of the set before it changed for a time.
    .where((one) => one.or([one('at', '>=', loss.changed_at), one('uid', '=', approval.uid)]))
    .execute();
  const submitted = await submitJobIn(tx, approval.removal(uid));
  if (isRefused(submitted)) throw new Undo(submitted);
  if (submitted.kind === 'queued') throw new Error('a removal is never queued');
  await tx.updateTable('loss_removals').set({ job_id: submitted.job.id }).where('uid', '=', uid).execute();
  return submitted.job;
}

/** Pins some records of a loss, or all that wait. */
export async function keepLoss(
  db: Db,
  answer: Answer & { readonly ids: readonly string[] | undefined; readonly days: number },
): Promise<Kept> {
  return await db.transaction().execute(async (tx) => {
    const loss = await lockLoss(tx, answer.lossId);
    if (!loss) return { kind: 'unknown' };
    const refusal = await refusalOf(tx, loss, answer);
    if (refusal) return refusal;
    const { env, target, upload_id: uploadId, count, digest } = loss;
    const { ids, days } = answer;
    if (uploadId === null) return { kind: 'resolved' };
    const unknown = ids && (await findUnknown(tx, { uploadId, ids }));
    if (unknown !== undefined) return { kind: 'not_in_set', id: unknown };
    const keep = await storeKeep(tx, answer);
    if (ids) await pin(tx, { env, target, keep, ids: [...new Set(ids)], days });
    else await pinAll(tx, { env, target, keep, uploadId, days });
    await recountSet(tx, loss, answer.by.shown);
    await noteAnswer(tx, loss, answer, 'keep-loss', {
      digest,
      count,
      kept: ids ? new Set(ids).size : count,
      days,
    });
    return { kind: 'kept' };
  });
}

async function storeKeep(tx: Tx, answer: Answer & { readonly days: number }): Promise<number> {
  const { lossId, by, reason, days } = answer;
  const until = sql<Date>`now() + make_interval(days => ${days})`;
  const { id } = await tx
    .insertInto('loss_keeps')
    .values({ loss_id: lossId, by_name: by.shown, reason, until })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function lockLoss(tx: Tx, id: number): Promise<Loss | undefined> {
  return await tx.selectFrom('losses').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

type Common = Extract<AnswerRefusal, { kind: 'resolved' | 'changed' | 'removal_active' }>;

/** The refusals of every answer. */
async function refusalOf(tx: Tx, loss: Loss, answer: Answer): Promise<Common | undefined> {
  if (loss.status === 'resolved') return { kind: 'resolved' };
  const removal = await findActiveRemoval(tx, loss);
  if (removal) {
    const approvers = await tx
      .selectFrom('loss_approvals')
      .select('by_id')
      .where('removal', '=', removal.uid)
      .execute();
    const isMine = approvers.some(({ by_id }) => by_id === answer.by.id);
    return { kind: 'removal_active', jobId: removal.jobId, isMine };
  }
  if (loss.digest === answer.digest) return undefined;
  return { kind: 'changed', loss, since: await changesSince(tx, loss, answer.digest) };
}

async function findActiveRemoval(
  tx: Tx,
  { env, target }: Loss,
): Promise<{ uid: string; jobId: number } | undefined> {
  const { rows } = await sql<{ uid: string; jobId: number }>`
    SELECT ${REMOVAL_IN_OPTIONS} AS uid, id AS "jobId" FROM jobs
    WHERE env = ${env} AND target = ${target} AND action = 'remove' AND status IN ${ACTIVE}
      AND ${REMOVAL_IN_OPTIONS} IS NOT NULL`.execute(tx);
  return rows[0];
}

/** Adds up what has changed after the caller's digest was last the present one. */
async function changesSince(tx: Tx, { id }: Loss, digest: string): Promise<Since | undefined> {
  const { rows } = await sql<{ added: number; gone: number; by: string | null }>`
    SELECT sum(added)::int AS added, sum(gone)::int AS gone, string_agg(what, ', ' ORDER BY id) AS by
    FROM loss_changes WHERE loss_id = ${id}
      AND id > (SELECT max(id) FROM loss_changes WHERE loss_id = ${id} AND digest = ${digest})`.execute(tx);
  const [since] = rows;
  return since && since.by !== null ? { added: since.added, gone: since.gone, by: since.by } : undefined;
}

/** The ids of those who have approved the set since it last changed, and whose approvals have led to no removal yet. */
async function listApprovers(tx: Tx, { id, digest, changed_at: since }: Loss): Promise<string[]> {
  const rows = await tx
    .selectFrom('loss_approvals')
    .select('by_id')
    .where('loss_id', '=', id)
    .where('digest', '=', digest)
    .where('at', '>=', since)
    .where('removal', 'is', null)
    .execute();
  return rows.map(({ by_id }) => by_id);
}

async function findApproval(tx: Tx, uid: string): Promise<{ job: JobRow | undefined } | undefined> {
  const row = await tx
    .selectFrom('loss_approvals as a')
    .leftJoin('loss_removals as r', 'r.uid', 'a.removal')
    .select('r.job_id')
    .where('a.uid', '=', uid)
    .executeTakeFirst();
  if (!row) return undefined;
  const { job_id: id } = row;
  if (id === null) return { job: undefined };
  return { job: await tx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst() };
}

async function noteAnswer(
  tx: Tx,
  { id, env, target }: Loss,
  { by, reason, origin }: Answer,
  verb: 'approve-loss' | 'keep-loss',
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit(tx, {
    principal: by.shown,
    origin: { ...origin, reason: origin?.reason ?? reason },
    verb,
    object: `loss ${id} (${env}/${target})`,
    detail,
  });
}
