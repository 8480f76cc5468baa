/**
 * The one way to start jobs: store the row, log "job accepted", poke the workflow of the key. Every trigger uses
 * it: api, batch, resume, rollback, removal, schedule and debounced start. The poke comes after the row, so that no workflow
 * looks for a missing job.
 */
import { randomUUID } from 'node:crypto';
import { isDatabaseUnavailable } from '../db/connect.ts';
import type { Submission } from '../db/jobs/submission.ts';
import { type Submitted, submitJob } from '../db/jobs/submit.ts';
import type { Db, JobRow } from '../db/schema.ts';
import { type Batch, type BatchSubmitted, submitBatch } from '../db/jobs/submit-batch.ts';
import { traceFields } from '../domain/trace.ts';
import type { Temporal } from '../temporal/connect.ts';
import { poke } from '../temporal/poke.ts';

/** The methods of a log that starting a job needs; an activity's log has them too. */
export type StartLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

type PokeDeps = { readonly temporal: Temporal; readonly log: StartLog };
export type StartDeps = PokeDeps & { readonly db: Db };

/**
 * Stores the job, logs it and pokes its key.
 * @throws as `acceptJob`
 */
export async function startJob(deps: StartDeps, submission: Omit<Submission, 'uid'>): Promise<Submitted> {
  const submitted = await acceptJob(deps, submission);
  if (submitted.kind === 'created') await pokeJobs(deps, [submitted.job]);
  return submitted;
}

/**
 * Stores the job and logs it; the caller pokes later, many jobs at once. After a lost connection it runs the same
 * transaction once more with the same uid, which finds the job that the first one stored.
 * @throws the driver's error when Postgres stays unreachable: a retry with the same parameters finds the job, if any
 */
export async function acceptJob(
  deps: Omit<StartDeps, 'temporal'>,
  submission: Omit<Submission, 'uid'>,
): Promise<Submitted> {
  const withUid = { ...submission, uid: randomUUID() };
  const submitted = await onceMore(() => submitJob(deps.db, withUid));
  if (submitted.kind === 'created' || submitted.kind === 'deduplicated')
    logAccepted(deps.log, submitted, submission.origin?.traceparent);
  return submitted;
}

/** Stores, logs and pokes a batch, whose items have uids already. */
export async function startJobs(deps: StartDeps, batch: Batch): Promise<BatchSubmitted> {
  const submitted = await onceMore(() => submitBatch(deps.db, batch));
  if (submitted.kind === 'answered')
    await announceJobs(
      deps,
      submitted.created.map((job) => ({ job, traceparent: job.traceparent })),
    );
  return submitted;
}

/**
 * Logs and pokes jobs that their trigger stored in its own transaction. Never fails.
 * @param created.traceparent the trace that the log's lines carry already
 */
export async function announceJobs(
  deps: PokeDeps,
  created: readonly { readonly job: JobRow; readonly traceparent: string | null | undefined }[],
): Promise<void> {
  for (const { job, traceparent } of created) logAccepted(deps.log, { kind: 'created', job }, traceparent);
  await pokeJobs(
    deps,
    created.map(({ job }) => job),
  );
}

/**
 * Pokes the keys of all jobs at once, since each poke waits for a Temporal that is unreachable. Never fails: the
 * reconciler pokes again. Jobs held back by maintenance and jobs of external executors need no poke.
 */
export async function pokeJobs({ temporal, log }: PokeDeps, jobs: readonly JobRow[]): Promise<void> {
  const queued = jobs.filter(({ status, runner }) => status === 'queued' && runner !== 'external');
  const pokes = queued.map((job) =>
    poke(temporal, job).catch((error: unknown) => {
      log.warn({ err: error, job: job.id }, 'poke failed; the reconciler will poke again');
    }),
  );
  await Promise.all(pokes);
}

/** Runs a transaction that is safe to repeat once more after a lost connection. */
export async function onceMore<T>(store: () => Promise<T>): Promise<T> {
  try {
    return await store();
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    return await store();
  }
}

/** Names the job's trace if the log's lines carry another one: an earlier request asked for the job. */
function logAccepted(
  log: StartLog,
  { kind, job }: { readonly kind: 'created' | 'deduplicated'; readonly job: JobRow },
  traceparent: string | null | undefined,
): void {
  const { trace_id: id } = traceFields(job.traceparent);
  const { env, target, action_name: action } = job;
  const fields = {
    job: job.id,
    env,
    target,
    action,
    ...(traceFields(traceparent).trace_id === id ? {} : { job_trace_id: id }),
  };
  log.info(fields, kind === 'created' ? 'job accepted' : 'the same job is under way already');
}
