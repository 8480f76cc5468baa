/** Refusals of the answers to a loss: each names the thing, the reason and the fix. */
import type { Since } from '../../db/losses/answers.ts';
import { Problem } from '../http/problem.ts';

type Shown = { readonly id: number; readonly count: number; readonly digest: string };

export function noLoss(id: number): Problem {
  return new Problem(404, 'unknown_loss', `there is no loss ${id}; GET /losses lists those that wait`);
}

export function lossResolved(id: number): Problem {
  return new Problem(410, 'loss_resolved', `loss ${id} is resolved: no record of it is held any more`);
}

/**
 * 409 with the present digest and count.
 * @param since what has changed; undefined if the loss never had the caller's digest
 */
export function lossChanged({ id, count, digest }: Shown, since: Since | undefined): Problem {
  const how = since
    ? `since then ${since.added} records joined it and ${since.gone} left it (${shortened(since.by)})`
    : 'it never had this digest';
  return new Problem(
    409,
    'loss_changed',
    `loss ${id} is not the set that you have seen: ${how}, and now ${count} records wait; look at them, then answer with its digest ${digest}`,
    { members: { digest, count } },
  );
}

/** A loss that waits for long has changed with every job. */
function shortened(words: string): string {
  return words.length > 200 ? `${words.slice(0, 200).toWellFormed()}…` : words;
}

export function ownJob(id: number, by: string): Problem {
  return new Problem(
    403,
    'own_job',
    `${by} started a job that held loss ${id}; another person must approve it`,
  );
}

/** @param jobId the removal that has begun */
export function alreadyApproved(id: number, by: string, jobId: number | null): Problem {
  const then = jobId === null ? 'another person must approve it, too' : `job ${jobId} removes its records`;
  return new Problem(409, 'already_approved', `${by} has approved loss ${id} already; ${then}`, {
    members: { removal_job_id: jobId },
  });
}

/** The set is being removed: no further answer has an effect. */
export function removalActive(id: number, jobId: number): Problem {
  return new Problem(
    409,
    'removal_active',
    `job ${jobId} removes the approved records of loss ${id} now; wait for it or cancel it`,
    { headers: { location: `/jobs/${jobId}` }, members: { removal_job_id: jobId } },
  );
}

export function nothingWaits(id: number): Problem {
  return new Problem(
    409,
    'nothing_waits',
    `all held records of loss ${id} are kept for now; there is nothing to approve`,
  );
}
