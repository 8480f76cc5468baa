/** Says that temporary files cannot be written. */
import { JobError } from '../job-error.ts';

export function noRoom(cause: unknown): JobError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new JobError(
    'failed',
    `the temporary files of the run cannot be written (${why}); give /tmp more room, or set TMPDIR to a folder that has it`,
    { cause },
  );
}

/** @throws JobError if `work` throws */
export function stored<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw noRoom(cause);
  }
}
