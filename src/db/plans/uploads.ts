/** Stores the pages of a plan's records; the last one makes it the plan of its job. */
import { sql } from 'kysely';
import { plannedName } from '../../domain/action.ts';
import { MOST_PLAN_RECORDS, PLAN_KINDS, type PlanKind, SHOWN_PLANS } from '../../domain/change-plan.ts';
import { plannedBy } from '../../domain/options.ts';
import type { StepRef } from '../jobs/steps.ts';
import {
  type PageVerdict,
  storePage,
  type UploadKind,
  type UploadPage,
  type Whole,
} from '../page-uploads.ts';
import type { Db, Tx } from '../schema.ts';

export type PlanSummary = {
  readonly digest: string;
  readonly live: number;
  readonly listed: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly held: number;
  readonly kept: number;
  readonly watermark: Date | null;
};

export type PlanPage = Omit<UploadPage, 'records'> & {
  /** On the last page. */
  readonly summary?: PlanSummary | undefined;
  readonly records: readonly {
    readonly id: string;
    readonly kind: PlanKind;
    readonly before: unknown;
    readonly after: unknown;
  }[];
};

const PLAN_UPLOAD: UploadKind<PlanPage> = {
  table: 'plan_uploads',
  most: MOST_PLAN_RECORDS,
  placesOf: ({ records }) => records.map(({ kind, id }) => `${PLAN_KINDS.indexOf(kind)}${id}`),
  insert: insertRecords,
  complete: storePlan,
};

export async function storePlanPage(db: Db, ref: StepRef, page: PlanPage): Promise<PageVerdict> {
  return await storePage(db, ref, page, PLAN_UPLOAD);
}

async function insertRecords(tx: Tx, uploadId: number, { records }: PlanPage): Promise<void> {
  const rows = records.map((record) => ({ ...record, kind: PLAN_KINDS.indexOf(record.kind) }));
  await sql`
    INSERT INTO plan_records (upload_id, kind, id, before, after)
    SELECT ${uploadId}, kind, id, nullif(before, 'null'::jsonb), nullif(after, 'null'::jsonb)
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(kind smallint, id text, before jsonb, after jsonb)`.execute(
    tx,
  );
}

/** A later attempt of the same job replaces the plan of an earlier one. */
async function storePlan(tx: Tx, { uploadId, page, jobId, attempt }: Whole<PlanPage>): Promise<void> {
  const { summary } = page;
  const action = plannedBy({ action: attempt.jobAction, options: attempt.options });
  if (summary === undefined || action === undefined)
    throw new Error(`job ${jobId}: the last page of a plan needs a summary and a job that plans`);
  const { digest, live, listed, added, updated, removed, held, kept, watermark } = summary;
  const plan = {
    env: attempt.env,
    target: attempt.target,
    action_name: plannedName({ action_name: attempt.jobName, action: attempt.jobAction }) ?? action,
    action,
    upload_id: uploadId,
    digest,
    live,
    listed,
    added,
    updated,
    removed,
    held,
    kept,
    watermark,
    shown: await countShown(tx, uploadId),
    born_at: sql<Date>`now()`,
  };
  await tx
    .insertInto('plans')
    .values({ job_id: jobId, ...plan })
    .onConflict((conflict) => conflict.column('job_id').doUpdateSet(plan))
    .execute();
  await sql`
    UPDATE plans SET upload_id = NULL
    WHERE env = ${plan.env} AND target = ${plan.target} AND upload_id IS NOT NULL AND job_id <= (
      SELECT job_id FROM plans WHERE env = ${plan.env} AND target = ${plan.target}
      ORDER BY job_id DESC OFFSET ${SHOWN_PLANS} LIMIT 1)`.execute(tx);
}

async function countShown(tx: Tx, uploadId: number): Promise<number[]> {
  const { rows } = await sql<{ kind: number; count: number }>`
    SELECT kind, count(*)::int AS count FROM plan_records WHERE upload_id = ${uploadId} GROUP BY kind`.execute(
    tx,
  );
  return PLAN_KINDS.map((_, at) => rows.find(({ kind }) => kind === at)?.count ?? 0);
}
