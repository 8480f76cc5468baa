/** Pages of the records of a plan: by kind, and within a kind in the byte order of their ids. */
import { type RawBuilder, sql } from 'kysely';
import { PLAN_KINDS, type PlanKind } from '../../domain/change-plan.ts';
import type { Db } from '../schema.ts';
import { PLAN_TIME } from './plans.ts';

type Content = Readonly<Record<string, unknown>> | null;

export type PlanRecord = {
  readonly kind: PlanKind;
  readonly id: string;
  readonly before: Content;
  readonly after: Content;
};

export type RecordsOf = {
  readonly jobId: number;
  readonly kind?: PlanKind | undefined;
  /** Only ids that contain this text. */
  readonly part?: string | undefined;
  /** Only records behind this one. */
  readonly after?: { readonly kind: PlanKind; readonly id: string } | undefined;
  readonly limit: number;
};

/** The upload is looked up first: then the index gives the records in order, and a page reads no more than it shows. */
export async function listPlanRecords(db: Db, of: RecordsOf): Promise<PlanRecord[]> {
  const { jobId, kind, part = '', after, limit } = of;
  const where: RawBuilder<unknown>[] = [
    sql`upload_id = (SELECT upload_id FROM plans WHERE job_id = ${jobId} AND born_at + ${PLAN_TIME} > now())`,
  ];
  if (kind !== undefined) where.push(sql`kind = ${PLAN_KINDS.indexOf(kind)}`);
  if (after) where.push(sql`(kind, id) > (${PLAN_KINDS.indexOf(after.kind)}, ${after.id})`);
  if (part !== '') where.push(sql`strpos(id, ${part}) > 0`);
  const { rows } = await sql<Omit<PlanRecord, 'kind'> & { kind: number }>`
    SELECT kind, id, before, after FROM plan_records WHERE ${sql.join(where, sql` AND `)}
    ORDER BY kind, id LIMIT ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, kind: PLAN_KINDS[row.kind] ?? 'added' }));
}
