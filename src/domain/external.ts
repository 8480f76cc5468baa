/** What an external executor's word does to its job (design.md §6). Pure. */
import type { Diagnosis } from './outcome.ts';

/** At least one of them; the executor's own status word, what the job is about, and a line for its log. */
export type ExternalWord = {
  readonly status?: string | undefined;
  readonly description?: string | undefined;
  readonly log?: string | undefined;
};

/** What DELETE /jobs/:id alone brings about; an executor that said so would seem to have been told to. */
export const NOT_EXECUTORS_WORDS: readonly string[] = ['cancelling', 'deleted'];

/** How the word ends the job; any other only says what it is at. */
export function endOf({ status }: ExternalWord): 'completed' | 'failed' | null {
  return status === 'completed' || status === 'failed' ? status : null;
}

/** What the log tells of it, line by line. */
export function linesOf({ status, description, log }: ExternalWord): string[] {
  return [
    ...(status === undefined ? [] : [`Set status: ${status}`]),
    ...(description === undefined ? [] : ['Added update description']),
    ...(log === undefined ? [] : [log]),
  ];
}

/** Why it failed, as far as the executor said so with that very word. */
export function externalDiagnosis(jobId: number, { description, log }: ExternalWord): Diagnosis {
  return {
    code: 'external',
    summary: 'Its executor says that it failed.',
    detail: [description, log].filter((text) => text !== undefined).join('\n'),
    what_to_do: `See its log, GET /jobs/${jobId}/logs, and the executor's own; then ask for it again.`,
  };
}
