/** Which rollback the one kept generation allows, and why another is refused. Pure. */
import { JobError } from '../../job-error.ts';
import type { LeftBy } from './state-parts.ts';

/** @param sink its name @param by the job that replaced the kept generation @throws JobError `nothingToRollBack` */
export function refuseBeforeOther(
  alias: string,
  sink: string,
  by: LeftBy | null,
  before: string | null,
): void {
  if (before === null) {
    // Another rollback would restore the data that the last rollback has undone.
    const name = by && nameOf(by);
    if (by?.action === 'rollback' && name !== null)
      throw nothingToRollBack(
        alias,
        `${jobInWords(by)} has already undone the last sync; to undo that rollback, use --before ${name}`,
      );
  } else if (by === null || !isNamed(by, before)) {
    const kept = by === null ? 'whose job is unknown' : `from before ${jobInWords(by)}`;
    throw nothingToRollBack(
      alias,
      `${sink} keeps one generation, ${kept}, and none from before the job ${before}`,
    );
  }
}

/** True if this uid or number is that of the job. */
export function isNamed({ job_uid: uid, job_id: id }: LeftBy, name: string): boolean {
  return name === uid || name === String(id);
}

export function nothingToRollBack(alias: string, why: string): JobError {
  return new JobError('nothingToRollBack', `${alias} has no earlier data to restore: ${why}`);
}

function nameOf({ job_uid: uid, job_id: id }: LeftBy): string | null {
  return uid ?? (id === null ? null : String(id));
}

/** `the sync of job 7 at 2026-11-22T10:00:00.000Z` */
export function jobInWords({ action, job_id: id, at }: LeftBy): string {
  return `the ${action}${id === null ? '' : ` of job ${id}`} at ${at}`;
}
