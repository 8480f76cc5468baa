/** Describes one run of the workflow that serves a key. */
import {
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { JOB_FAILED } from '../domain/workflow.ts';
import { type Temporal, within } from './connect.ts';

/**
 * `killed`: terminated, timed out or failed by a bug, without ending its job. `closed`: it recorded the end of its job
 * first, if it had one (a restored database may have lost that). `unknown`: Temporal has no such run; it was wiped, or
 * its retention has passed.
 */
export type RunState = 'open' | 'closed' | 'killed' | 'unknown';

/** @throws TemporalUnavailable or the client's error: then nothing is known */
export async function describeRun(temporal: Temporal, key: Key, runId: string): Promise<RunState> {
  try {
    const handle = temporal.client.workflow.getHandle(workflowId(key), runId, { followRuns: false });
    const { status } = await within(5_000, temporal.connection, () => handle.describe());
    switch (status.name) {
      case 'RUNNING':
      case 'PAUSED':
        return 'open';
      case 'FAILED':
        return (await within(5_000, temporal.connection, () => failedForItsJob(handle)))
          ? 'closed'
          : 'killed';
      case 'TERMINATED':
      case 'TIMED_OUT':
        return 'killed';
      default:
        return 'closed';
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    throw error;
  }
}

/** True for a run that failed with its job, also when it was poked and Temporal started a next run (workflows/close.ts). */
async function failedForItsJob(handle: WorkflowHandle): Promise<boolean> {
  try {
    await handle.result();
    return false;
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError) return true;
    if (!(error instanceof WorkflowFailedError)) throw error;
    return error.cause instanceof ApplicationFailure && error.cause.type === JOB_FAILED;
  }
}
