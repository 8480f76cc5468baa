/** The workflow run that scheduled the current activity; it guards every write of the activity. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { SUPERSEDED } from '../src/domain/workflow.ts';

export function currentRun(): { readonly workflowId: string; readonly runId: string } {
  const execution = Context.current().info.workflowExecution;
  if (!execution) throw new Error('this activity belongs to a workflow');
  return execution;
}

export const currentRunId = () => currentRun().runId;

/** The error of an activity whose job is final or belongs to another run: it must do nothing more. */
export function superseded(ref: { jobId: number }): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `job ${ref.jobId} is over, or belongs to another workflow run`,
    SUPERSEDED,
  );
}
