/** submit: the one function behind every trigger. The row first, then the poke (design.md §3.1). */
import { randomUUID } from 'node:crypto';
import { isDatabaseAway } from '../db/connect.ts';
import type { Db } from '../db/schema.ts';
import { type Submission, type Submitted, submitJob } from '../db/submit.ts';
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
  if (
    submitted.kind === 'created' &&
    submitted.job.status === 'queued' &&
    submitted.job.runner !== 'external'
  )
    await poke(deps.temporal, submitted.job).catch((error: unknown) => {
      deps.log.warn({ err: error, job: submitted.job.id }, 'poke failed; the reconciler will poke again');
    });
  return submitted;
}
