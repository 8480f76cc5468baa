/**
 * Takes the pages that the program of an attempt uploads: in order, each once, the records of all pages sorted. The last
 * page alone makes them count, if the attempt has not ended by then.
 */
import { createHash } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Db, Tx, UploadsTable } from './schema.ts';
import { attemptRefusal, type FoundAttempt, readAttempt } from './jobs/attempts.ts';
import type { StepRef } from './jobs/steps.ts';

export type UploadPage = {
  readonly page: number;
  readonly last: boolean;
  readonly records: readonly unknown[];
};

/** What the pages of one kind of upload hold, and where they go. */
export type UploadKind<P extends UploadPage> = {
  readonly table: 'loss_uploads' | 'plan_uploads';
  /** Records of all pages together. */
  readonly most?: number;
  /** A text of each record: their byte order is the order of the records. */
  readonly placesOf: (page: P) => readonly string[];
  readonly insert: (tx: Tx, uploadId: number, page: P) => Promise<void>;
  /** Makes the whole upload count. */
  readonly complete: (tx: Tx, whole: Whole<P>) => Promise<void>;
};

/** An upload at its last page. */
export type Whole<P extends UploadPage> = {
  readonly uploadId: number;
  readonly stored: number;
  readonly page: P;
  readonly jobId: number;
  readonly attempt: FoundAttempt;
};

export type PageVerdict =
  /** The records of this upload so far. */
  | { readonly kind: 'stored'; readonly stored: number }
  | { readonly kind: 'out_of_order'; readonly expected: number }
  /** The place of the first record of the page that is not behind the one before it. */
  | { readonly kind: 'unsorted'; readonly at: number }
  | { readonly kind: 'too_many'; readonly most: number }
  | Refusal;

type Refusal = { readonly kind: 'unknown' | 'ended' | 'cancelling' };
type Upload = Selectable<UploadsTable>;
type UploadTable = UploadKind<UploadPage>['table'];

class Refused extends Error {
  readonly verdict: PageVerdict;
  constructor(verdict: PageVerdict) {
    super(verdict.kind);
    this.verdict = verdict;
  }
}

/** Safe to repeat: the same page again is answered as the first time. */
export async function storePage<P extends UploadPage>(
  db: Db,
  ref: StepRef,
  page: P,
  kind: UploadKind<P>,
): Promise<PageVerdict> {
  try {
    return await db.transaction().execute(async (tx) => await storePageIn(tx, ref, page, kind));
  } catch (error) {
    if (error instanceof Refused) return error.verdict;
    throw error;
  }
}

async function storePageIn<P extends UploadPage>(
  tx: Tx,
  ref: StepRef,
  page: P,
  kind: UploadKind<P>,
): Promise<PageVerdict> {
  const attempt = await checkedAttempt(tx, ref, { lock: false });
  const hash = createHash('sha256').update(JSON.stringify(page)).digest('hex');
  const { table, most = Infinity } = kind;
  const newest = await lockUpload(tx, table, ref);
  if (newest && newest.next_page === page.page + 1 && newest.page_hash === hash)
    return { kind: 'stored', stored: newest.stored };
  const upload = page.page === 0 ? await beginUpload(tx, table, ref, newest) : newest;
  if (!upload || upload.complete || upload.next_page !== page.page)
    return { kind: 'out_of_order', expected: upload && !upload.complete ? upload.next_page : 0 };
  const places = kind.placesOf(page);
  const at = firstUnsorted(places, upload.last_id);
  if (at !== undefined) throw new Refused({ kind: 'unsorted', at });
  const stored = upload.stored + page.records.length;
  if (stored > most) throw new Refused({ kind: 'too_many', most });
  if (page.records.length > 0) await kind.insert(tx, upload.id, page);
  await tx
    .updateTable(table)
    .set({
      stored,
      next_page: page.page + 1,
      page_hash: hash,
      last_id: places.at(-1) ?? upload.last_id,
      complete: page.last,
    })
    .where('id', '=', upload.id)
    .execute();
  if (page.last) {
    await kind.complete(tx, { uploadId: upload.id, stored, page, jobId: ref.jobId, attempt });
    // At the end, so that the row is locked for moments: an attempt that has ended meanwhile changes nothing.
    await checkedAttempt(tx, ref, { lock: true });
  }
  return { kind: 'stored', stored };
}

/** @throws Refused */
async function checkedAttempt(tx: Tx, ref: StepRef, how: { lock: boolean }): Promise<FoundAttempt> {
  const found = await readAttempt(tx, ref, how);
  if (!found) throw new Refused({ kind: 'unknown' });
  const refused = attemptRefusal(found);
  if (refused) throw new Refused({ kind: refused });
  return found;
}

async function lockUpload(
  tx: Tx,
  table: UploadTable,
  { jobId, step, attempt }: StepRef,
): Promise<Upload | undefined> {
  return await tx
    .selectFrom(table)
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
  table: UploadTable,
  { jobId, step, attempt }: StepRef,
  before: Upload | undefined,
): Promise<Upload | undefined> {
  // Its records are deleted later, in small parts.
  if (before) await tx.updateTable(table).set({ abandoned: true }).where('id', '=', before.id).execute();
  const { rows } = await sql<Upload>`
    INSERT INTO ${sql.table(table)} (job_id, step, attempt) VALUES (${jobId}, ${step}, ${attempt})
    ON CONFLICT (job_id, step, attempt) WHERE NOT abandoned DO NOTHING RETURNING *`.execute(tx);
  return rows[0];
}

/** The first place that is not behind the one before it, in byte order. */
function firstUnsorted(places: readonly string[], lastPlace: string | null): number | undefined {
  let before = lastPlace === null ? undefined : Buffer.from(lastPlace);
  for (const [at, place] of places.entries()) {
    const bytes = Buffer.from(place);
    if (before && Buffer.compare(before, bytes) >= 0) return at;
    before = bytes;
  }
  return undefined;
}
