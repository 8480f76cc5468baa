/** Cancels jobs. Postgres records the request first; cancelling the Temporal run only makes it take effect sooner. */
import { type Cancelled, requestCancel } from '../db/jobs/cancel.ts';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { type Temporal, within } from '../temporal/connect.ts';
import type { StartDeps } from './start-job.ts';

/** Undefined for an unknown job. Safe to repeat. */
export async function cancel(
  deps: StartDeps,
  input: Parameters<typeof requestCancel>[1],
): Promise<Cancelled | undefined> {
  const cancelled = await requestCancel(deps.db, input);
  const job = cancelled?.job;
  if (job?.status === 'cancelling' && job.run_id !== null)
    await cancelRun(deps.temporal, job, job.run_id).catch((error: unknown) => {
      deps.log.warn(
        { err: error, job: job.id },
        'cannot cancel the Temporal run now; the watching activity or the reconciler will act on the row',
      );
    });
  return cancelled;
}

/** Cancels exactly this run: a later run of the same workflow id must not be hit. */
export async function cancelRun(temporal: Temporal, key: Key, runId: string): Promise<void> {
  await cancelExecution(temporal, { workflowId: workflowId(key), runId });
}

export async function cancelExecution(
  temporal: Temporal,
  of: { readonly workflowId: string; readonly runId: string },
): Promise<void> {
  await within(2_000, temporal.connection, () =>
    temporal.client.workflow.getHandle(of.workflowId, of.runId).cancel(),
  );
}
