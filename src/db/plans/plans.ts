/** Plans as the api shows them: each with its state, which later jobs of its target decide. */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { PLAN_DAYS, type PlanState } from '../../domain/change-plan.ts';
import type { Db, PlansTable } from '../schema.ts';
import { ONLY_LOOKS } from '../status-sql.ts';

export type PlanView = Omit<Selectable<PlansTable>, 'upload_id'> & {
  /** Of its job. */
  readonly uid: string;
  readonly started_by: string;
  readonly state: PlanState;
  readonly expires_at: Date;
  /** The first later job of the target that has completed, or a step of it: it applied the plan, or made it stale. */
  readonly later_job_id: number | null;
};

export type PlanFilter = {
  readonly env?: string | undefined;
  readonly target?: string | undefined;
  readonly state?: PlanState | undefined;
};

/** How long a plan can be applied, and shows its records. */
export const PLAN_TIME = sql<string>`interval '${sql.raw(String(PLAN_DAYS))} days'`;

/** The plan that a job applies, by the uid of the job that made it. */
const PLAN_IN_OPTIONS = sql<string>`
  substring(options FROM '--plan ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})')::uuid`;

/**
 * Every plan with its state, as `p`. A job of the same key with a greater id began after the plan's own had ended.
 * A preview and a story change nothing, so they leave a plan as it is.
 */
const view = sql`
  SELECT * FROM (
    SELECT plans.*, j.uid, j.requested_by AS started_by, born_at + ${PLAN_TIME} AS expires_at, later.id AS later_job_id,
      CASE WHEN later.applies THEN 'applied' WHEN later.id IS NOT NULL THEN 'stale'
        WHEN born_at + ${PLAN_TIME} <= now() THEN 'expired' ELSE 'ready' END AS state
    FROM plans JOIN jobs j ON j.id = plans.job_id LEFT JOIN LATERAL (
      SELECT l.id, l.action = 'apply' AND ${PLAN_IN_OPTIONS} IS NOT DISTINCT FROM j.uid AS applies
      FROM (
        SELECT id, action, options FROM jobs WHERE env = plans.env AND target = plans.target AND id > plans.job_id
          AND NOT ${ONLY_LOOKS}
          AND (status = 'completed' OR EXISTS (
            SELECT FROM steps s WHERE s.job_id = jobs.id AND s.outcome = 'completed'))
        ORDER BY id LIMIT 1) AS l
    ) AS later ON true
  ) AS p`;

/** The newest first. */
export async function listPlans(
  db: Db,
  { env, target, state }: PlanFilter,
  page: { limit: number; offset: number },
): Promise<PlanView[]> {
  const where: RawBuilder<unknown>[] = [sql`true`];
  if (env !== undefined) where.push(sql`p.env = ${env}`);
  if (target !== undefined) where.push(sql`p.target = ${target}`);
  if (state !== undefined) where.push(sql`p.state = ${state}`);
  const { rows } = await sql<PlanView>`${view} WHERE ${sql.join(where, sql` AND `)}
    ORDER BY p.job_id DESC LIMIT ${page.limit} OFFSET ${page.offset}`.execute(db);
  return rows;
}

export async function readPlan(db: Db, jobId: number): Promise<PlanView | undefined> {
  const { rows } = await sql<PlanView>`${view} WHERE p.job_id = ${jobId}`.execute(db);
  return rows[0];
}
