/** Stores the pages of an upload of held records; the last one makes it the waiting set of its key. */
import { createHash } from 'node:crypto';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { REMOVE, ROLLBACK } from '../../domain/action.ts';
import type { LossReason } from '../../domain/loss.ts';
import type { Db, Schema, Tx } from '../schema.ts';
import { attemptRefusal, type FoundAttempt, readAttempt } from '../jobs/attempts.ts';
import type { StepRef } from '../jobs/steps.ts';
import { replaceSet } from './waiting-set.ts';

export type HeldPage = {
  readonly page: number;
  readonly last: boolean;
  readonly live: number;
  readonly reason?: LossReason | undefined;
  readonly records: readonly {
    readonly id: string;
    readonly missing_since: Date;
    readonly last_seen: Date | null;
    readonly updated_at: Date | null;
    readonly record: unknown;
  }[];
};

export type PageVerdict =
  /** The records of this upload so far. */
  | { readonly kind: 'stored'; readonly stored: number }
  | { readonly kind: 'out_of_order'; readonly expected: number }
  /** The ids are not in byte order. */
  | { readonly kind: 'unsorted'; readonly id: string }
  | Refusal;

type Refusal = { readonly kind: 'unknown' | 'ended' | 'cancelling' };
type Upload = Selectable<Schema['loss_uploads']>;

class Refused extends Error {
  readonly verdict: PageVerdict;
  constructor(verdict: PageVerdict) {
    super(verdict.kind);
    this.verdict = verdict;
  }
}

/** Safe to repeat: the same page again is answered as the first time. */
export async function storePage(db: Db, ref: StepRef, page: HeldPage): Promise<PageVerdict> {
  try {
    return await db.transaction().execute(async (tx) => await storePageIn(tx, ref, page));
  } catch (error) {
    if (error instanceof Refused) return error.verdict;
    throw error;
  }
}

async function storePageIn(tx: Tx, ref: StepRef, page: HeldPage): Promise<PageVerdict> {
  const attempt = await checkedAttempt(tx, ref, { lock: false });
  const hash = createHash('sha256').update(JSON.stringify(page)).digest('hex');
  const newest = await lockUpload(tx, ref);
  if (newest && newest.next_page === page.page + 1 && newest.page_hash === hash)
    return { kind: 'stored', stored: newest.stored };
  const upload = page.page === 0 ? await beginUpload(tx, ref, newest) : newest;
  if (!upload || upload.complete || upload.next_page !== page.page)
    return { kind: 'out_of_order', expected: upload && !upload.complete ? upload.next_page : 0 };
  const unsorted = firstUnsorted(page, upload.last_id);
  if (unsorted !== undefined) throw new Refused({ kind: 'unsorted', id: unsorted });
  await insertRecords(tx, upload.id, page);
  const stored = upload.stored + page.records.length;
  await tx
    .updateTable('loss_uploads')
    .set({
      stored,
      next_page: page.page + 1,
      page_hash: hash,
      last_id: page.records.at(-1)?.id ?? upload.last_id,
      live: page.live,
      oldest: oldestOf(upload.oldest, page),
      complete: page.last,
    })
    .where('id', '=', upload.id)
    .execute();
  if (page.last) {
    await replaceSet(tx, { ...toldBy(attempt, ref), uploadId: upload.id, stored, ...page });
    // At the end, so that the row is locked for moments: an attempt that has ended meanwhile changes nothing.
    await checkedAttempt(tx, ref, { lock: true });
  }
  return { kind: 'stored', stored };
}

function toldBy(attempt: FoundAttempt, { jobId }: StepRef) {
  return {
    env: attempt.env,
    target: attempt.target,
    jobId,
    startedBy: attempt.requestedBy,
    isCause: attempt.jobAction !== REMOVE && attempt.jobAction !== ROLLBACK,
  };
}

/** @throws Refused */
async function checkedAttempt(tx: Tx, ref: StepRef, how: { lock: boolean }): Promise<FoundAttempt> {
  const found = await readAttempt(tx, ref, how);
  if (!found) throw new Refused({ kind: 'unknown' });
  const refused = attemptRefusal(found);
  if (refused) throw new Refused({ kind: refused });
  return found;
}

async function lockUpload(tx: Tx, { jobId, step, attempt }: StepRef): Promise<Upload | undefined> {
  return await tx
    .selectFrom('loss_uploads')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('step', '=', step)
    .where('attempt', '=', attempt)
    .where('abandoned', '=', false)
    .forUpdate()
    .executeTakeFirst();
}

/** Undefined if another request begins the upload of the same attempt just now. */
async function beginUpload(
  tx: Tx,
  { jobId, step, attempt }: StepRef,
  before: Upload | undefined,
): Promise<Upload | undefined> {
  // Its records are deleted later, in small parts.
  if (before)
    await tx.updateTable('loss_uploads').set({ abandoned: true }).where('id', '=', before.id).execute();
  const { rows } = await sql<Upload>`
    INSERT INTO loss_uploads (job_id, step, attempt) VALUES (${jobId}, ${step}, ${attempt})
    ON CONFLICT (job_id, step, attempt) WHERE NOT abandoned DO NOTHING RETURNING *`.execute(tx);
  return rows[0];
}

/** A clock of a sink may be ahead of ours, but no record can have been missed later than it is told. */
function oldestOf(before: Date | null, { records }: HeldPage): RawBuilder<Date | null> {
  const times = records.map(({ missing_since: since }) => since);
  const first = times.reduce<Date | null>((one, other) => (one && one < other ? one : other), before);
  return sql<Date | null>`CASE WHEN ${first}::timestamptz IS NOT NULL THEN least(${first}::timestamptz, now()) END`;
}

/** The first id that is not behind the one before it, in byte order. */
function firstUnsorted({ records }: HeldPage, lastId: string | null): string | undefined {
  let before = lastId === null ? undefined : Buffer.from(lastId);
  for (const { id } of records) {
    const bytes = Buffer.from(id);
    if (before && Buffer.compare(before, bytes) >= 0) return id;
    before = bytes;
  }
  return undefined;
}

async function insertRecords(tx: Tx, uploadId: number, { records }: HeldPage): Promise<void> {
  if (records.length === 0) return;
  await sql`
    INSERT INTO loss_records (upload_id, id, missing_since, last_seen, updated_at, record)
    SELECT ${uploadId}, id, missing_since, last_seen, updated_at, nullif(record, 'null'::jsonb)
    FROM jsonb_to_recordset(${JSON.stringify(records)}::jsonb) AS r(
      id text, missing_since timestamptz, last_seen timestamptz, updated_at timestamptz, record jsonb)`.execute(
    tx,
  );
}
