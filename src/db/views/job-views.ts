/** Jobs as the API shows them: the row with its steps, their newest reports and sync jobs, in one statement. */
import { sql } from 'kysely';
import type { JobScope } from '../../domain/permission.ts';
import type { Diagnosis } from '../../domain/outcome.ts';
import type { ReportFacts } from '../../domain/report.ts';
import type { Db, JobRow, LogState } from '../schema.ts';
import type { SyncJobRow } from './sync-jobs.ts';

/** Times inside are ISO-8601 text, as Postgres writes them in JSON. */
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
  /** Bytes of its text, including dropped parts. */
  readonly log_bytes: number;
  readonly log_state: LogState;
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
    readonly progressed_at: string | null;
  } | null;
  readonly facts: ReportFacts;
  /** The failed items of its checkpoint, as the program wrote them. */
  readonly failed_items: unknown;
  readonly sync_job:
    | (Omit<SyncJobRow, 'start_time' | 'end_time'> & {
        readonly start_time: string;
        readonly end_time: string | null;
      })
    | null;
};

export type JobView = JobRow & {
  readonly steps: StepView[];
  /**
   * Rollbacks only: the job that it goes back to before. Null if it undoes the last sync, or if that job has been
   * purged.
   */
  readonly rollback_before: number | null;
  /** The plan that it made or applies, by the id of the job that made it. */
  readonly plan_id: number | null;
};

/** Continue it with WHERE; the job is `j`. */
export const view = sql`
  SELECT j.*, coalesce(s.steps, '[]'::jsonb) AS steps,
    CASE WHEN j.action = 'rollback' THEN (SELECT b.id FROM jobs b
      WHERE b.uid = substring(j.options FROM '--before ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})')::uuid) END
      AS rollback_before,
    CASE j.action
      WHEN 'plan' THEN (SELECT p.job_id FROM plans p WHERE p.job_id = j.id)
      WHEN 'apply' THEN (SELECT p.job_id FROM jobs b JOIN plans p ON p.job_id = b.id
        WHERE b.uid = substring(j.options FROM '--plan ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})')::uuid) END
      AS plan_id
  FROM jobs j LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
      'step', st.step, 'attempt', st.attempt, 'action', st.action, 'name', st.name,
      'created_at', st.created_at, 'started_at', st.started_at, 'ended_at', st.ended_at,
      'outcome', st.outcome, 'diagnosis', st.diagnosis,
      'log_bytes', st.log_bytes, 'log_state', st.log_state, 'facts', coalesce(st.facts, '{}'::jsonb),
      'report', to_jsonb(r.*) - 'checkpoint', 'failed_items', r.checkpoint->'failed', 'sync_job', to_jsonb(sj.*)) ORDER BY st.step, st.attempt) AS steps
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

/** The known ones of these jobs, in the order of their changes. */
export async function readJobViews(db: Db, ids: readonly number[]): Promise<JobView[]> {
  const { rows } = await sql<JobView>`${view} WHERE j.id = ANY(${ids}) ORDER BY j.version`.execute(db);
  return rows;
}

/** The ids of the jobs that have changed since, in the order of their changes, at most `most`. */
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

/** The fields of a job that a caller's limits are checked against; undefined for an unknown job. */
export async function findJobScope(db: Db, id: number): Promise<JobScope | undefined> {
  return await db
    .selectFrom('jobs')
    .select(['env', 'action_name', 'action'])
    .where('id', '=', id)
    .executeTakeFirst();
}

/** What a job's program was asked to do; undefined for an unknown job. */
export async function findJobOptions(
  db: Db,
  id: number,
): Promise<{ action: string; options: string } | undefined> {
  return await db.selectFrom('jobs').select(['action', 'options']).where('id', '=', id).executeTakeFirst();
}

/** The fields that a report token is made from; undefined for an unknown job. */
export async function findJobUid(db: Db, id: number): Promise<string | undefined> {
  const row = await db.selectFrom('jobs').select('uid').where('id', '=', id).executeTakeFirst();
  return row?.uid;
}
