/** The workflow run that asked for this activity: what every write of it is guarded by. */
import { ApplicationFailure, Context } from '@temporalio/activity';

export function currentRunId(): string {
  const execution = Context.current().info.workflowExecution;
  if (!execution) throw new Error('this activity belongs to a workflow');
  return execution.runId;
}

/** The row says that another run has the job, or that it is over: whatever we would do now is not ours to do. */
export function superseded(ref: { jobId: number }): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `job ${ref.jobId} is over, or another workflow's by now`,
    'superseded',
  );
}
