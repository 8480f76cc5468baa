/** submit: what is behind every trigger, for one job or many. The rows first, then the pokes (design.md §3.1). */
import { randomUUID } from 'node:crypto';
import { isDatabaseAway } from '../db/connect.ts';
import type { Db } from '../db/schema.ts';
import { type JobRow, type Submission, type Submitted, submitJob } from '../db/submit.ts';
import { type Batch, type BatchSubmitted, submitBatch } from '../db/submit-batch.ts';
import { traceFields } from '../domain/trace.ts';
import type { Log } from '../log.ts';
import type { Temporal } from './connect.ts';
import { poke } from './poke.ts';

export type SubmitDeps = { readonly db: Db; readonly temporal: Temporal; readonly log: Log };

/**
 * Stores the job and pokes its key.
 * @throws as `accept`
 */
export async function submit(deps: SubmitDeps, submission: Omit<Submission, 'uid'>): Promise<Submitted> {
  const submitted = await accept(deps, submission);
  if (submitted.kind === 'created') await pokeNew(deps, [submitted.job]);
  return submitted;
}

/**
 * Stores the job; `pokeNew` is its caller's to call. A lost connection is answered by the same transaction with the same
 * uid once more, which finds what the first one stored.
 * @throws the driver's error when Postgres stays away: a later try with the same parameters finds the job, if any
 */
export async function accept(deps: SubmitDeps, submission: Omit<Submission, 'uid'>): Promise<Submitted> {
  const withUid = { ...submission, uid: randomUUID() };
  const submitted = await submitJob(deps.db, withUid).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return submitJob(deps.db, withUid);
  });
  if (submitted.kind === 'created' || submitted.kind === 'deduplicated')
    tell(deps.log, submitted.job, submission.origin?.traceparent, submitted.kind);
  return submitted;
}

/** Stores and pokes a batch: the uids are its items' already. */
export async function submitMany(deps: SubmitDeps, batch: Batch): Promise<BatchSubmitted> {
  const submitted = await submitBatch(deps.db, batch).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return submitBatch(deps.db, batch);
  });
  if (submitted.kind !== 'answered') return submitted;
  for (const job of submitted.created) tell(deps.log, job, job.traceparent, 'created');
  await pokeNew(deps, submitted.created);
  return submitted;
}

/** A log of a request has its trace already; the job's is another one where an earlier call asked for it. */
function tell(
  log: Log,
  job: JobRow,
  ours: string | undefined | null,
  kind: 'created' | 'deduplicated',
): void {
  const { trace_id: id } = traceFields(job.traceparent);
  const { env, target, action_name: action } = job;
  const fields = {
    job: job.id,
    env,
    target,
    action,
    ...(traceFields(ours).trace_id === id ? {} : { job_trace_id: id }),
  };
  log.info(fields, kind === 'created' ? 'job accepted' : 'the same job is under way already');
}

/**
 * Pokes all of them at once, since each waits for a Temporal that is away. Never fails: the reconciler would poke too. An
 * external executor is nobody's to poke.
 */
export async function pokeNew({ temporal, log }: SubmitDeps, jobs: readonly JobRow[]): Promise<void> {
  const ours = jobs.filter(({ status, runner }) => status === 'queued' && runner !== 'external');
  const pokes = ours.map((job) =>
    poke(temporal, job).catch((error: unknown) => {
      log.warn({ err: error, job: job.id }, 'poke failed; the reconciler will poke again');
    }),
  );
  await Promise.all(pokes);
}
