/** What became of one run of the workflow that serves a key. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { type Temporal, within } from './connect.ts';

/** `killed`: ended by somebody, not by itself. `unknown`: Temporal has no such run (it was wiped, or time passed). */
export type RunState = 'open' | 'closed' | 'killed' | 'unknown';

/** @throws TemporalAway or the client's error: then nothing is known */
export async function describeRun(temporal: Temporal, key: Key, runId: string): Promise<RunState> {
  try {
    const { status } = await within(5_000, temporal.connection, () =>
      temporal.client.workflow.getHandle(workflowId(key), runId).describe(),
    );
    switch (status.name) {
      case 'RUNNING':
      case 'PAUSED':
        return 'open';
      case 'TERMINATED':
      case 'FAILED':
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
