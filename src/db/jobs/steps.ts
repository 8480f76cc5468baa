/** The rows of a job's steps: written before each launch, observed while it runs, ended once. */
import { type Selectable, sql } from 'kysely';
import type { StepSpec } from '../../domain/job.ts';
import type { Diagnosis } from '../../domain/outcome.ts';
import { type JobStatus, STEPPING_STATUSES } from '../../domain/status.ts';
import type { Db, JobRow, StepsTable } from '../schema.ts';
import { CLAIMED, LAUNCHING } from '../status-sql.ts';

export type StepRow = Selectable<StepsTable>;
export type StepRef = { readonly jobId: number; readonly step: number; readonly attempt: number };

export function refOf({ job_id: jobId, step, attempt }: StepRow): StepRef {
  return { jobId, step, attempt };
}

/**
 * Writes the row of an attempt before its launch, unless the job is ending or another workflow has it. `job` tells
 * which; safe to repeat.
 */
export async function beginStep(
  db: Db,
  input: StepRef & { runId: string; action: string; name: string },
): Promise<{ job: JobRow | undefined; begun: boolean }> {
  return await db.transaction().execute(async (tx) => {
    const job = await tx
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', input.jobId)
      .where('run_id', '=', input.runId)
      .forShare()
      .executeTakeFirst();
    if (!job || !(STEPPING_STATUSES as readonly JobStatus[]).includes(job.status))
      return { job, begun: false };
    await tx
      .insertInto('steps')
      .values({
        job_id: input.jobId,
        step: input.step,
        attempt: input.attempt,
        action: input.action,
        name: input.name,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return { job, begun: true };
  });
}

/** Remembers which object the runner made or adopted for the attempt. */
export async function recordLaunched(db: Db, ref: StepRef, runnerUid: string): Promise<void> {
  await db
    .updateTable('steps')
    .set({ runner_uid: runnerUid, launched_at: sql`now()` })
    .where('job_id', '=', ref.jobId)
    .where('step', '=', ref.step)
    .where('attempt', '=', ref.attempt)
    .where('runner_uid', 'is', null)
    .execute();
}

/** Seconds by the database's clock since the attempt's row was written, so since its launch was first tried. */
export async function readLaunchAge(db: Db, ref: StepRef): Promise<number> {
  const { rows } = await sql<{ age: number }>`
    SELECT extract(epoch FROM now() - created_at)::float8 AS age FROM steps
    WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}`.execute(db);
  return rows[0]?.age ?? 0;
}

/** One attempt; undefined before it begins. */
export async function readStep(db: Db, ref: StepRef): Promise<StepRow | undefined> {
  return await db
    .selectFrom('steps')
    .selectAll()
    .where('job_id', '=', ref.jobId)
    .where('step', '=', ref.step)
    .where('attempt', '=', ref.attempt)
    .executeTakeFirst();
}

/**
 * The specification of a step, frozen when its job was submitted.
 * @throws the driver's error for an unknown job
 */
export async function readStepSpec(
  db: Db,
  ref: StepRef,
): Promise<{ job: JobRow; spec: StepSpec | undefined }> {
  const job = await db.selectFrom('jobs').selectAll().where('id', '=', ref.jobId).executeTakeFirstOrThrow();
  return { job, spec: job.steps_spec[ref.step] };
}

/** All attempts of a job, oldest first. */
export async function listSteps(db: Db, jobId: number): Promise<StepRow[]> {
  return await db
    .selectFrom('steps')
    .selectAll()
    .where('job_id', '=', jobId)
    .orderBy('step')
    .orderBy('attempt')
    .execute();
}

export type Observed = {
  readonly status: JobRow['status'];
  /** Seconds by the database's clock since the attempt was launched, and since it was first seen running. */
  readonly secondsSinceLaunched: number;
  readonly secondsSinceStarted: number | null;
};

/**
 * Notes that a step was observed, and its state. Undefined when the job is final or another workflow's. A running
 * job never goes back to `waiting`: only a field shows that its second step waits.
 */
export async function observeStep(
  db: Db,
  ref: StepRef,
  input: {
    runId: string;
    state: 'starting' | 'waiting' | 'running';
    reason: string | null;
    detail: string | null;
  },
): Promise<Observed | undefined> {
  const { rows } = await sql<Observed>`
    WITH seen AS (
      UPDATE steps SET started_at = CASE WHEN ${input.state} = 'running' THEN coalesce(started_at, now())
        ELSE started_at END
      WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}
      RETURNING job_id, coalesce(launched_at, created_at) AS launched_at, started_at
    )
    UPDATE jobs SET
      observed_at = now(),
      status = CASE WHEN status IN ${LAUNCHING} THEN ${input.state} ELSE status END,
      status_reason = CASE WHEN status = 'cancelling' THEN status_reason ELSE ${input.reason}::text END,
      status_detail = CASE WHEN status = 'cancelling' THEN status_detail ELSE ${input.detail}::text END,
      started_at = CASE WHEN ${input.state} = 'running' THEN coalesce(jobs.started_at, now())
        ELSE jobs.started_at END
    FROM seen
    WHERE id = seen.job_id AND run_id = ${input.runId}
      AND status IN ${CLAIMED}
    RETURNING status,
      extract(epoch FROM now() - seen.launched_at)::float8 AS "secondsSinceLaunched",
      extract(epoch FROM now() - seen.started_at)::float8 AS "secondsSinceStarted"`.execute(db);
  return rows[0];
}

/** Says why a cancel takes long, for the page and the API; does nothing unless the job is cancelling. */
export async function explainCancelling(
  db: Db,
  input: { jobId: number; runId: string; reason: string; detail: string | null },
): Promise<void> {
  await sql`
    UPDATE jobs SET status_reason = ${input.reason}, status_detail = ${input.detail}::text
    WHERE id = ${input.jobId} AND run_id = ${input.runId} AND status = 'cancelling'`.execute(db);
}

/** Ends an attempt once; later calls change nothing. From then on its reports are refused. */
export async function endStep(
  db: Db,
  ref: StepRef,
  outcome: { kind: 'completed' | 'failed' | 'cancelled'; diagnosis: Diagnosis | null },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const ended = await tx
      .updateTable('steps')
      .set({
        ended_at: sql`now()`,
        outcome: outcome.kind,
        diagnosis: outcome.diagnosis && JSON.stringify(outcome.diagnosis),
      })
      .where('job_id', '=', ref.jobId)
      .where('step', '=', ref.step)
      .where('attempt', '=', ref.attempt)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (ended.numUpdatedRows === 0n) return;
    await tx
      .updateTable('sync_jobs')
      .set({ end_time: sql`now()`, completed: outcome.kind === 'completed' })
      .where('job_id', '=', ref.jobId)
      .where('step', '=', ref.step)
      .where('attempt', '=', ref.attempt)
      .execute();
  });
}
