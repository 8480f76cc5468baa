/** What a workflow needs to know of the job it serves, and where it goes on after a takeover. Pure. */
import type { Key, StepSpec } from './job.ts';
import type { SearchAttribute } from './workflow.ts';
import type { Diagnosis, JobOutcome } from './outcome.ts';

/** One attempt as its row tells it. */
export type AttemptState = {
  readonly step: number;
  readonly attempt: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled' | null;
  readonly diagnosis: Diagnosis | null;
};

export type ResumePoint =
  | { readonly kind: 'step'; readonly step: number; readonly attempt: number }
  | { readonly kind: 'over'; readonly outcome: JobOutcome };

export type ClaimedJob = Key & {
  readonly id: number;
  readonly action: string;
  /** For lines of logs alone; of claims in older histories there is none. */
  readonly traceparent?: string | null;
  /** The search attributes that may be set; of claims in older histories all. */
  readonly searchable?: readonly SearchAttribute[];
  readonly steps: readonly Pick<StepSpec, 'action' | 'retries'>[];
  readonly from: ResumePoint;
};

export const DISRUPTED = 'disrupted';

/** Whether a failed attempt is tried again: disruptions from outside only, as often as the step allows. */
export function mayRetry(diagnosis: Diagnosis, attempt: number, retries: number): boolean {
  return diagnosis.code === DISRUPTED && attempt <= retries;
}

/**
 * Where to go on, from the rows that were written before each create. An attempt without an outcome is taken up
 * again under the same number, so that what it created is adopted.
 */
export function resumePoint(
  steps: readonly Pick<StepSpec, 'retries'>[],
  attempts: readonly AttemptState[],
): ResumePoint {
  const last = attempts.at(-1);
  if (!last) return { kind: 'step', step: 0, attempt: 1 };
  if (last.outcome === null) return { kind: 'step', step: last.step, attempt: last.attempt };
  if (last.outcome === 'cancelled') return { kind: 'over', outcome: { kind: 'cancelled' } };
  if (last.outcome === 'completed')
    return last.step + 1 < steps.length
      ? { kind: 'step', step: last.step + 1, attempt: 1 }
      : { kind: 'over', outcome: { kind: 'completed' } };
  const diagnosis = last.diagnosis ?? UNKNOWN_FAILURE;
  return mayRetry(diagnosis, last.attempt, steps[last.step]?.retries ?? 0)
    ? { kind: 'step', step: last.step, attempt: last.attempt + 1 }
    : { kind: 'over', outcome: { kind: 'failed', diagnosis } };
}

const UNKNOWN_FAILURE: Diagnosis = {
  code: 'unknown',
  summary: 'The step failed.',
  detail: 'No diagnosis was stored with it.',
  what_to_do: 'Read the log of the step.',
};

/** For a job whose workflow somebody terminated: it was cleaned up, not run to its end. */
export const WORKFLOW_TERMINATED: Diagnosis = {
  code: 'workflow_terminated',
  summary: 'The workflow of this job was ended from outside, in the Temporal Web UI or CLI.',
  detail: 'What the job had started was removed; nothing of it runs any more.',
  what_to_do: 'Start the job again. To stop a job, cancel it; terminating skips the clean end.',
};
