/** Closes a run as its job ended, so that Temporal's Web UI, its counts and the SDK's metrics are true. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import { maskCredentials } from '../src/domain/mask.ts';
import type { Diagnosis } from '../src/domain/outcome.ts';
import { JOB_FAILED } from '../src/domain/workflow.ts';

/** An older worker that closes a run closes it as before this patch; nothing after it is ever replayed. */
const AS_THE_JOB = 'close-as-the-job-ended';

export type JobEnd =
  | { readonly kind: 'failed'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'cancelled' }
  /** The job completed, there was none, or another run has it. */
  | { readonly kind: 'other' };

/**
 * Throws the failure that closes the run as its job ended; returns if the run completes regularly. No poke is lost:
 * only the policy of a poked run allows a retry, and then Temporal starts the next run together with the failure. A
 * cancelled run has no such successor; if poked, it continues as new.
 */
export function closeAs(end: JobEnd, isPoked: boolean): void {
  if (end.kind === 'failed' && (!isPoked || hasRetryPolicy()) && patched(AS_THE_JOB))
    throw ApplicationFailure.create({
      type: JOB_FAILED,
      message: `${end.diagnosis.code}: ${maskCredentials(end.diagnosis.summary)}`,
      nonRetryable: !isPoked,
    });
  if (end.kind === 'cancelled' && !isPoked && isAskedToCancel() && patched(AS_THE_JOB))
    throw new CancelledFailure('the job was cancelled');
}

/** A run that an older version started has no policy by which a next run could follow. */
const hasRetryPolicy = () => workflowInfo().retryPolicy !== undefined;

/** Temporal calls a run Canceled only if its cancel was requested. */
export const isAskedToCancel = () => CancellationScope.current().consideredCancelled;
