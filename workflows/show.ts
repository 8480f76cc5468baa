/** Sets what the Temporal Web UI shows of a run: search attributes and current details. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ClaimedJob } from '../src/domain/resume-point.ts';
import { cut, type Diagnosis } from '../src/domain/outcome.ts';
import { traceFields } from '../src/domain/trace.ts';

const ACTION = defineSearchAttributeKey('SyncratorAction', SearchAttributeType.KEYWORD);
const JOB_ID = defineSearchAttributeKey('SyncratorJobId', SearchAttributeType.INT);

export function setSearchAttributes(job: ClaimedJob): void {
  const pairs = [
    { key: ACTION, value: job.action },
    { key: JOB_ID, value: job.id },
  ];
  const usable = pairs.filter(({ key }) => job.searchable?.some((name) => name === key.name) ?? true);
  if (usable.length > 0) upsertSearchAttributes(usable);
}

/** @param ref null once the steps are over */
export function setDetails(
  job: ClaimedJob,
  ref: { step: number; attempt: number } | null,
  stage: 'launching' | 'watching' | 'completed' | 'failed' | 'cancelled',
): void {
  const head = `**Job ${job.id}**: ${job.action} of ${job.target} in ${job.env}`;
  if (!ref) return setCurrentDetails(`${head}\n\n${stage}; stopping what still runs, then recording the end`);
  const name = job.steps[ref.step]?.action ?? '';
  const which = `step ${ref.step + 1} of ${job.steps.length} (${name}), attempt ${ref.attempt}`;
  const hint = stage === 'launching' ? 'launching' : 'running or waiting; its heartbeat shows which, and why';
  setCurrentDetails(`${head}\n\n${which}: ${hint}`);
}

/** The diagnosis of a job whose activity failed without a retry: a bug in Syncrator itself. */
export function internalError(error: unknown, job: ClaimedJob): Diagnosis {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  log.error('the job failed by an internal error', { message, job: job.id, ...traceFields(job.traceparent) });
  return {
    code: 'internal_error',
    summary: 'An internal error of Syncrator stopped this job.',
    detail: cut(message),
    what_to_do: 'Read the log of the worker and report the error. The job can be started again.',
  };
}
