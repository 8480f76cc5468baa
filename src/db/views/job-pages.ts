/**
 * Pages of jobs, newest first. Indexes alone choose the jobs of a page where possible, however many jobs there are.
 */
import { type RawBuilder, sql } from 'kysely';
import { type JobView, view } from './job-views.ts';
import type { Db } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';

export type JobFilter = {
  readonly statuses?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly target?: string | undefined;
  /** Also finds jobs of other targets that name this target in their manifest: they change it, too. */
  readonly orNaming?: boolean | undefined;
  readonly env?: string | undefined;
  readonly hideFinal?: boolean | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only jobs with a smaller id: the cursor. */
  readonly before?: number | undefined;
};

/** Spelt out, so that Postgres recognises its partial index of active jobs, which holds at most one per key. */
const IS_ACTIVE = sql`j.status IN ${ACTIVE}`;

/** Newest first. */
export async function listJobViews(
  db: Db,
  filter: JobFilter,
  page: { limit: number; offset: number },
): Promise<JobView[]> {
  const where: RawBuilder<unknown>[] = [sql`true`];
  if (filter.statuses)
    // Only an active job has a reason, or an executor that reports a phase.
    where.push(sql`(j.status = ANY(${filter.statuses})
      OR (${IS_ACTIVE} AND (j.status_reason = ANY(${filter.statuses}) OR j.phase = ANY(${filter.statuses}))))`);
  if (filter.actions) where.push(sql`j.action_name = ANY(${filter.actions})`);
  if (filter.env !== undefined) where.push(sql`j.env = ${filter.env}`);
  if (filter.hideFinal) where.push(IS_ACTIVE);
  if (filter.since) where.push(sql`j.created_at >= ${filter.since}`);
  if (filter.until) where.push(sql`j.created_at < ${filter.until}`);
  if (filter.before !== undefined) where.push(sql`j.id < ${filter.before}`);
  const { target } = filter;
  const ids = (...more: RawBuilder<unknown>[]) =>
    sql`SELECT j.id FROM jobs j WHERE ${sql.join([...where, ...more], sql` AND `)}`;
  const ofTarget = ids(...(target === undefined ? [] : [sql`j.target = ${target}`]));
  const chosen =
    target === undefined || filter.orNaming !== true
      ? ofTarget
      : // One query per index: an OR of both would read all jobs. Few jobs name a target in their manifest.
        sql`SELECT j.id FROM (
          (${ofTarget} ORDER BY j.id DESC LIMIT ${page.limit + page.offset})
          UNION (${ids(sql`j.action_parameters @> ${naming(target)}::jsonb`)})) AS j`;
  // Chooses the ids first: neither rows nor steps are read of the jobs that OFFSET skips.
  const { rows } = await sql<JobView>`
    ${view} WHERE j.id = ANY(ARRAY(${chosen} ORDER BY j.id DESC LIMIT ${page.limit} OFFSET ${page.offset}))
    ORDER BY j.id DESC`.execute(db);
  return rows;
}

function naming(target: string): string {
  return JSON.stringify({ bumpManifesto: { dataStructureUpdates: [{ name: target }] } });
}
