/** Approves a loss; announces the removal that the last approval has stored in its own transaction. */
import { randomUUID } from 'node:crypto';
import { type Approval, type Approved, approveLoss } from '../db/losses/answers.ts';
import { announceJobs, onceMore, type StartDeps } from './start-job.ts';

/**
 * After a lost connection it runs the same transaction once more with the same uid, which finds what the first one stored.
 * @throws the driver's error when Postgres stays unreachable: another call tells whether the approval was stored
 */
export async function approveAndStart(deps: StartDeps, approval: Omit<Approval, 'uid'>): Promise<Approved> {
  const withUid = { ...approval, uid: randomUUID() };
  const approved = await onceMore(() => approveLoss(deps.db, withUid));
  if (approved.kind === 'approved' && approved.job)
    await announceJobs(deps, [{ job: approved.job, traceparent: approval.origin?.traceparent }]);
  return approved;
}
