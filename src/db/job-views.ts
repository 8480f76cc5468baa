/** Jobs as they are shown: the row with its steps, their newest reports and sync jobs, in one statement. */
import { type RawBuilder, sql } from 'kysely';
import type { Diagnosis } from '../domain/outcome.ts';
import type { Db } from './schema.ts';
import type { JobRow } from './submit.ts';
import type { SyncJobRow } from './sync-jobs.ts';

/** Times within are ISO-8601 text, as JSON made in Postgres has them. */
export type StepView = {
  readonly step: number;
  readonly attempt: number;
  readonly action: string;
  readonly name: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly outcome: 'completed' | 'failed' | 'cancelled' | null;
  readonly diagnosis: Diagnosis | null;
  readonly report: {
    readonly at: string;
    readonly phase: string;
    readonly records_done: number | null;
    readonly records_total: number | null;
    readonly added: number | null;
    readonly updated: number | null;
    readonly deleted: number | null;
    readonly failed: number | null;
    readonly message: string | null;
  } | null;
  readonly sync_job:
    | (Omit<SyncJobRow, 'start_time' | 'end_time'> & {
        readonly start_time: string;
        readonly end_time: string | null;
      })
    | null;
};

export type JobView = JobRow & { readonly steps: StepView[] };

export type JobFilter = {
  readonly statuses?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly env?: string | undefined;
  readonly hideFinal?: boolean | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only jobs with a smaller id: the cursor. */
  readonly before?: number | undefined;
};

const view = sql`
  SELECT j.*, coalesce(s.steps, '[]'::jsonb) AS steps
  FROM jobs j LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
      'step', st.step, 'attempt', st.attempt, 'action', st.action, 'name', st.name,
      'created_at', st.created_at, 'started_at', st.started_at, 'ended_at', st.ended_at,
      'outcome', st.outcome, 'diagnosis', st.diagnosis,
      'report', to_jsonb(r.*) - 'checkpoint', 'sync_job', to_jsonb(sj.*)) ORDER BY st.step, st.attempt) AS steps
    FROM steps st
    LEFT JOIN LATERAL (
      SELECT * FROM reports
      WHERE job_id = st.job_id AND step = st.step AND attempt = st.attempt ORDER BY seq DESC LIMIT 1
    ) r ON true
    LEFT JOIN sync_jobs sj ON sj.job_id = st.job_id AND sj.step = st.step AND sj.attempt = st.attempt
    WHERE st.job_id = j.id
  ) s ON true`;

export async function readJobView(db: Db, id: number): Promise<JobView | undefined> {
  const { rows } = await sql<JobView>`${view} WHERE j.id = ${id}`.execute(db);
  return rows[0];
}

/** Those of these jobs that there are, in the order of their changes. */
export async function readJobViews(db: Db, ids: readonly number[]): Promise<JobView[]> {
  const { rows } = await sql<JobView>`${view} WHERE j.id = ANY(${ids}) ORDER BY j.version`.execute(db);
  return rows;
}

/** The ids of the jobs that have changed since, in the order of their changes, `most` at most. */
export async function listChangedJobs(db: Db, since: Date, most: number): Promise<number[]> {
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('updated_at', '>=', since)
    .orderBy('version')
    .limit(most)
    .execute();
  return rows.map((row) => row.id);
}

/** What a report token is made from; undefined for an unknown job. */
export async function findJobUid(db: Db, id: number): Promise<string | undefined> {
  const row = await db.selectFrom('jobs').select('uid').where('id', '=', id).executeTakeFirst();
  return row?.uid;
}

/** Newest first. */
export async function listJobViews(
  db: Db,
  filter: JobFilter,
  page: { limit: number; offset: number },
): Promise<JobView[]> {
  const where: RawBuilder<unknown>[] = [sql`true`];
  if (filter.statuses)
    where.push(sql`(j.status = ANY(${filter.statuses}) OR j.status_reason = ANY(${filter.statuses}))`);
  if (filter.actions) where.push(sql`j.action_name = ANY(${filter.actions})`);
  if (filter.target !== undefined) where.push(sql`j.target = ${filter.target}`);
  if (filter.env !== undefined) where.push(sql`j.env = ${filter.env}`);
  if (filter.hideFinal) where.push(sql`j.status NOT IN ('completed', 'failed', 'deleted')`);
  if (filter.since) where.push(sql`j.created_at >= ${filter.since}`);
  if (filter.until) where.push(sql`j.created_at < ${filter.until}`);
  if (filter.before !== undefined) where.push(sql`j.id < ${filter.before}`);
  const { rows } = await sql<JobView>`
    ${view} WHERE ${sql.join(where, sql` AND `)}
    ORDER BY j.id DESC LIMIT ${page.limit} OFFSET ${page.offset}`.execute(db);
  return rows;
}

export type TargetState = {
  readonly env: string;
  readonly target: string;
  readonly last_success_at: Date | null;
  readonly last_success_job_id: number | null;
  readonly active_job_id: number | null;
  readonly active_status: string | null;
  readonly last_job_id: number | null;
  readonly last_status: string | null;
};

/** Last success, last job and what runs now, of every key that ever had a job. */
export async function listTargetStates(db: Db): Promise<TargetState[]> {
  const { rows } = await sql<TargetState>`
    SELECT newest.env, newest.target, t.last_success_at, t.last_success_job_id,
      active.id AS active_job_id, active.status AS active_status,
      newest.id AS last_job_id, newest.status AS last_status
    FROM (SELECT DISTINCT ON (env, target) env, target, id, status FROM jobs
      ORDER BY env, target, id DESC) newest
    LEFT JOIN targets t USING (env, target)
    LEFT JOIN jobs active ON active.env = newest.env AND active.target = newest.target
      AND active.status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')`.execute(db);
  return rows;
}
