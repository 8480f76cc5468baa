/** Stores the pages of an upload of held records; the last one makes it the waiting set of its key. */
import { sql } from 'kysely';
import { REMOVE, ROLLBACK } from '../../domain/action.ts';
import type { LossReason } from '../../domain/loss.ts';
import type { StepRef } from '../jobs/steps.ts';
import {
  type PageVerdict,
  storePage,
  type UploadKind,
  type UploadPage,
  type Whole,
} from '../page-uploads.ts';
import type { Db, Tx } from '../schema.ts';
import { replaceSet, type Told } from './waiting-set.ts';

export type HeldPage = Omit<UploadPage, 'records'> & {
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

const HELD: UploadKind<HeldPage> = {
  table: 'loss_uploads',
  placesOf: ({ records }) => records.map(({ id }) => id),
  insert: insertRecords,
  complete: async (tx, whole) => await replaceSet(tx, toldBy(whole)),
};

export async function storeHeldPage(db: Db, ref: StepRef, page: HeldPage): Promise<PageVerdict> {
  return await storePage(db, ref, page, HELD);
}

function toldBy({ uploadId, stored, page, jobId, attempt }: Whole<HeldPage>): Told {
  return {
    env: attempt.env,
    target: attempt.target,
    uploadId,
    stored,
    live: page.live,
    reason: page.reason,
    jobId,
    startedBy: attempt.requestedBy,
    isCause: attempt.jobAction !== REMOVE && attempt.jobAction !== ROLLBACK,
  };
}

async function insertRecords(tx: Tx, uploadId: number, { records }: HeldPage): Promise<void> {
  await sql`
    INSERT INTO loss_records (upload_id, id, missing_since, last_seen, updated_at, record)
    SELECT ${uploadId}, id, missing_since, last_seen, updated_at, nullif(record, 'null'::jsonb)
    FROM jsonb_to_recordset(${JSON.stringify(records)}::jsonb) AS r(
      id text, missing_since timestamptz, last_seen timestamptz, updated_at timestamptz, record jsonb)`.execute(
    tx,
  );
  await noteOldest(tx, uploadId, records);
}

/** A clock of a sink may be ahead of ours, but no record can have been missed later than it is told. */
async function noteOldest(tx: Tx, uploadId: number, records: HeldPage['records']): Promise<void> {
  const first = Math.min(...records.map(({ missing_since: since }) => since.getTime()));
  await sql`UPDATE loss_uploads SET oldest = least(oldest, ${new Date(first)}::timestamptz, now())
    WHERE id = ${uploadId}`.execute(tx);
}
