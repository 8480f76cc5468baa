/** cancel: the row says so first; the Temporal cancel is only the fast path (design.md §3.8). */
import { type Cancelled, requestCancel } from '../db/cancel.ts';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { type Temporal, within } from './connect.ts';
import type { SubmitDeps } from './submit.ts';

/** Undefined for an unknown job. Repeating it is harmless. */
export async function cancel(
  deps: SubmitDeps,
  input: Parameters<typeof requestCancel>[1],
): Promise<Cancelled | undefined> {
  const cancelled = await requestCancel(deps.db, input);
  const job = cancelled?.job;
  if (job?.status === 'cancelling' && job.run_id !== null)
    await cancelRun(deps.temporal, job, job.run_id).catch((error: unknown) => {
      deps.log.warn(
        { err: error, job: job.id },
        'fast cancel failed; the watcher or the reconciler will see the row',
      );
    });
  return cancelled;
}

/** Cancels this very run: by now the workflow id may belong to a later one. */
export async function cancelRun(temporal: Temporal, key: Key, runId: string): Promise<void> {
  await within(2_000, temporal.connection, () =>
    temporal.client.workflow.getHandle(workflowId(key), runId).cancel(),
  );
}
