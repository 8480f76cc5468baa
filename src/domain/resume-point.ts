/** The facts that a workflow needs of the job it serves, and the step where it continues after a takeover. Pure. */
import type { Key, StepSpec } from './job.ts';
import type { SearchAttribute } from './workflow.ts';
import type { Diagnosis, JobOutcome } from './outcome.ts';

/** One attempt, as its row describes it. */
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
  /** For log lines only; claims in older histories lack it. */
  readonly traceparent?: string | null;
  /** The search attributes that exist in Temporal; claims in older histories lack the list and set all. */
  readonly searchable?: readonly SearchAttribute[];
  readonly steps: readonly Pick<StepSpec, 'action' | 'retries'>[];
  readonly from: ResumePoint;
};

export const DISRUPTED = 'disrupted';

/** True if a failed attempt is repeated: only after a disruption from outside, and only as often as the step allows. */
export function mayRetry(diagnosis: Diagnosis, attempt: number, retries: number): boolean {
  return diagnosis.code === DISRUPTED && attempt <= retries;
}

/**
 * Where to continue, by the rows that were written before each launch. An attempt without an outcome keeps its
 * number, so that the runner adopts what it created.
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
  what_to_do: "Read the step's log.",
};

/** For a job whose workflow was terminated: it was cleaned up, not run to its end. */
export const WORKFLOW_TERMINATED: Diagnosis = {
  code: 'workflow_terminated',
  summary: "The workflow of this job was terminated in Temporal's Web UI or CLI.",
  detail: 'Everything that the job had started was removed; nothing of it runs any more.',
  what_to_do:
    'Start the job again. To stop a job, cancel it: a terminated workflow cannot end its job cleanly.',
};
