/** submit: what is behind every trigger, for one job or many. The rows first, then the pokes (design.md §3.1). */
import { randomUUID } from 'node:crypto';
import { isDatabaseAway } from '../db/connect.ts';
import type { Db } from '../db/schema.ts';
import { type JobRow, type Submission, type Submitted, submitJob } from '../db/submit.ts';
import { type Batch, type BatchSubmitted, submitBatch } from '../db/submit-batch.ts';
import type { Log } from '../log.ts';
import type { Temporal } from './connect.ts';
import { poke } from './poke.ts';

export type SubmitDeps = { readonly db: Db; readonly temporal: Temporal; readonly log: Log };

/**
 * Stores the job and pokes its key. A lost connection is answered by the same transaction with the same uid once
 * more, which finds what the first one stored.
 * @throws the driver's error when Postgres stays away: a later try with the same parameters finds the job, if any
 */
export async function submit(deps: SubmitDeps, submission: Omit<Submission, 'uid'>): Promise<Submitted> {
  const withUid = { ...submission, uid: randomUUID() };
  const submitted = await submitJob(deps.db, withUid).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return submitJob(deps.db, withUid);
  });
  if (submitted.kind === 'created') await pokeNew(deps, submitted.job);
  return submitted;
}

/** The same for a batch: the uids are its items' already. */
export async function submitMany(deps: SubmitDeps, batch: Batch): Promise<BatchSubmitted> {
  const submitted = await submitBatch(deps.db, batch).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return submitBatch(deps.db, batch);
  });
  // At once: each waits for a Temporal that is away.
  if (submitted.kind === 'answered') await Promise.all(submitted.created.map((job) => pokeNew(deps, job)));
  return submitted;
}

/** Never fails: the reconciler would poke too. An external executor is nobody's to poke. */
async function pokeNew({ temporal, log }: SubmitDeps, job: JobRow): Promise<void> {
  if (job.status !== 'queued' || job.runner === 'external') return;
  await poke(temporal, job).catch((error: unknown) => {
    log.warn({ err: error, job: job.id }, 'poke failed; the reconciler will poke again');
  });
}
