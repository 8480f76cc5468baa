/** Update of an external executor and its effect on the job. Pure. */
import type { Diagnosis } from './outcome.ts';

/** At least one of them: the executor's own status word, a description of the job, a line for its log. */
export type ExecutorUpdate = {
  readonly status?: string | undefined;
  readonly description?: string | undefined;
  readonly log?: string | undefined;
};

/** Statuses that only DELETE /jobs/:id sets; an executor may not set them. */
export const RESERVED_STATUSES: readonly string[] = ['cancelling', 'deleted'];

/** The final status that an update sets; null if the job continues. */
export function endOf({ status }: ExecutorUpdate): 'completed' | 'failed' | null {
  return status === 'completed' || status === 'failed' ? status : null;
}

/** The log lines of an update. */
export function linesOf({ status, description, log }: ExecutorUpdate): string[] {
  return [
    ...(status === undefined ? [] : [`Set status: ${status}`]),
    ...(description === undefined ? [] : ['Added update description']),
    ...(log === undefined ? [] : [log]),
  ];
}

/** Diagnosis of a job that its executor reported as failed, from the texts of that update. */
export function externalDiagnosis(jobId: number, { description, log }: ExecutorUpdate): Diagnosis {
  return {
    code: 'external',
    summary: 'Its executor reported that it failed.',
    detail: [description, log].filter((text) => text !== undefined).join('\n'),
    what_to_do: `See its log, GET /jobs/${jobId}/logs, and the executor's own log; then start the job again.`,
  };
}
