/** I8, of Temporal: no run is open, and each run closed as its job ended. */
import { workflowId } from '../../../src/domain/names.ts';
import { RUN_JOB } from '../../../src/domain/workflow.ts';
import type { Rig } from '../rig/rig.ts';

/** `before`: written by the version that a program upgrades from; its runs complete whatever the job's outcome. */
export type Versions = 'this' | 'before';

type Ended = {
  readonly id: number;
  readonly env: string;
  readonly target: string;
  readonly run_id: string | null;
  readonly status: string;
  readonly diagnosis: { readonly code: string } | null;
};

/**
 * A run that was poked at its end continues as new. The run of a failed job instead fails, and Temporal starts the
 * next one.
 */
const CLOSED_AS: Readonly<Record<string, readonly string[]>> = {
  completed: ['COMPLETED', 'CONTINUED_AS_NEW'],
  failed: ['FAILED'],
  deleted: ['CANCELLED', 'CONTINUED_AS_NEW'],
};
const ORDINARY = ['COMPLETED', 'CONTINUED_AS_NEW'];

export async function checkRuns(rig: Rig, jobs: readonly Ended[], versions: Versions): Promise<string[]> {
  const violations: string[] = [];
  const byRun = new Map(jobs.map((job) => [job.run_id, job]));
  const runs = new Map<string, string>();
  for await (const { workflowId: id, runId, type, status } of rig.temporal.client.workflow.list()) {
    const failed = ['FAILED', 'TIMED_OUT'].includes(status.name);
    const isOfFailedJob = type === RUN_JOB && byRun.get(runId)?.status === 'failed';
    if (status.name === 'RUNNING' || (failed && !isOfFailedJob))
      violations.push(`I8 workflow ${id} is ${status.name}`);
    runs.set(runId, status.name);
  }
  for (const job of jobs) {
    // A job cancelled before a workflow claimed it has no run.
    if (job.run_id === null) continue;
    const closed = runs.get(job.run_id) ?? 'unknown';
    const may = [...(CLOSED_AS[job.status] ?? []), ...(versions === 'before' ? ORDINARY : [])];
    if (!may.includes(closed))
      violations.push(`I8 job ${job.id} is ${job.status}, its run in Temporal ${closed}`);
    if (closed !== 'FAILED') continue;
    const message = await failureOf(rig, job, job.run_id);
    if (!message.startsWith(`${job.diagnosis?.code ?? ''}: `))
      violations.push(
        `I8 job ${job.id} failed by ${job.diagnosis?.code}, its run in Temporal says ${message}`,
      );
  }
  return violations;
}

async function failureOf(rig: Rig, job: Ended, runId: string): Promise<string> {
  const { events } = await rig.temporal.client.workflow.getHandle(workflowId(job), runId).fetchHistory();
  return events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure?.message ?? 'nothing';
}
