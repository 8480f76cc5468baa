/** Submits a batch (POST /jobs) in one transaction, which accepts or rejects each item on its own. */
import { sql } from 'kysely';
import { describeHolder } from '../../domain/job.ts';
import { describeNotPromoted } from '../../domain/promotion.ts';
import { findKey, type Idempotency, storeKey } from './idempotency.ts';
import type { Db, JobRow, Tx } from '../schema.ts';
import { batchLock, describeQueued } from './next-starts.ts';
import type { Submission } from './submission.ts';
import { submitJobIn, type Submitted } from './submit.ts';

/** `refused`: why the item was rejected before; it keeps its place in the answer. */
export type BatchItem = Omit<Submission, 'idempotency' | 'resumes'> | { readonly refused: string };

export type Batch = {
  readonly items: readonly BatchItem[];
  readonly idempotency?: Idempotency | undefined;
};

/** In the order of the items. */
export type BatchAnswer = readonly (
  | { readonly status: 'CREATED'; readonly msg: 'OK'; readonly job_id: number }
  | { readonly status: 'QUEUED'; readonly msg: string }
  | { readonly status: 'FAILED'; readonly msg: string }
)[];

export type BatchSubmitted =
  | { readonly kind: 'answered'; readonly answer: BatchAnswer; readonly created: readonly JobRow[] }
  /** Another body has used the Idempotency-Key; nothing was stored. */
  | { readonly kind: 'key_reused' };

/**
 * Refuses a target that has an active job, also one of this batch, and names the holder. After a lost connection
 * call it again with the same uids: it finds the jobs that it created.
 * @throws the driver's error when Postgres is away: then the outcome is unknown
 */
export async function submitBatch(db: Db, batch: Batch): Promise<BatchSubmitted> {
  return await db.transaction().execute(async (tx) => {
    const { idempotency } = batch;
    const stored = idempotency && (await findKey(tx, idempotency));
    if (stored)
      return stored.body_hash === idempotency.bodyHash
        ? { kind: 'answered', answer: stored.answer as BatchAnswer, created: [] }
        : { kind: 'key_reused' };
    await lockKeys(tx, batch.items);
    const answer: BatchAnswer[number][] = [];
    const created: JobRow[] = [];
    for (const item of batch.items) {
      if ('refused' in item) {
        answer.push({ status: 'FAILED', msg: item.refused });
        continue;
      }
      const submitted = await submitJobIn(tx, item);
      if (submitted.kind === 'key_reused')
        throw new Error('an item of a batch must not have its own Idempotency-Key');
      if (submitted.kind === 'created') {
        created.push(submitted.job);
        answer.push({ status: 'CREATED', msg: 'OK', job_id: submitted.job.id });
      } else answer.push(notCreated(submitted));
    }
    if (idempotency)
      await storeKey(tx, idempotency, {
        job_id: null,
        deduplicated: false,
        answer: JSON.stringify(answer),
      });
    return { kind: 'answered', answer, created };
  });
}

function notCreated(submitted: Exclude<Submitted, { kind: 'created' | 'key_reused' }>): BatchAnswer[number] {
  if (submitted.kind === 'queued') return { status: 'QUEUED', msg: describeQueued(submitted.next) };
  if (submitted.kind === 'not_promoted')
    return { status: 'FAILED', msg: describeNotPromoted(submitted.missing) };
  return {
    status: 'FAILED',
    msg: describeHolder(submitted.kind === 'busy' ? submitted.holder : submitted.job),
  };
}

/** Locks in sorted order: two batches with the same targets would otherwise deadlock. */
async function lockKeys(tx: Tx, items: readonly BatchItem[]): Promise<void> {
  const keys = items.flatMap((item) => ('refused' in item ? [] : [batchLock(item)]));
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
    FROM unnest(${[...new Set(keys)].toSorted()}::text[]) AS key`.execute(tx);
}
