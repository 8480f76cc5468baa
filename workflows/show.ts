/** What the Temporal Web UI shows of a run: search attributes and the current details. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ClaimedJob } from '../src/domain/claimed-job.ts';
import { cut, type Diagnosis } from '../src/domain/outcome.ts';
import { traceFields } from '../src/domain/trace.ts';

const ACTION = defineSearchAttributeKey('SyncratorAction', SearchAttributeType.KEYWORD);
const JOB_ID = defineSearchAttributeKey('SyncratorJobId', SearchAttributeType.INT);

export function showClaimed(job: ClaimedJob): void {
  upsertSearchAttributes([
    { key: ACTION, value: job.action },
    { key: JOB_ID, value: job.id },
  ]);
}

/** @param ref null once the steps are over */
export function showStage(
  job: ClaimedJob,
  ref: { step: number; attempt: number } | null,
  stage: 'launching' | 'watching' | 'completed' | 'failed' | 'cancelled',
): void {
  const head = `**Job ${job.id}**: ${job.action} of ${job.target} in ${job.env}`;
  if (!ref)
    return setCurrentDetails(`${head}\n\n${stage}; removing what was started, then the record is closed`);
  const name = job.steps[ref.step]?.action ?? '';
  const which = `step ${ref.step + 1} of ${job.steps.length} (${name}), attempt ${ref.attempt}`;
  const hint =
    stage === 'launching' ? 'launching' : 'running or waiting to; its heartbeat says which, and why';
  setCurrentDetails(`${head}\n\n${which}: ${hint}`);
}

/** An activity failed in a way that no retry mends: a fault of ours, told as it is. */
export function failedBeyondRepair(error: unknown, job: ClaimedJob): Diagnosis {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  log.error('the job failed beyond repair', { message, job: job.id, ...traceFields(job.traceparent) });
  return {
    code: 'internal_error',
    summary: 'Syncrator itself could not go on with this job.',
    detail: cut(message),
    what_to_do: 'Read the log of the worker, and report it; the job can be started again.',
  };
}
