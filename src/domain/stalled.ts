/** When a running job counts as silent: shown, never a reason to end it (faults.md row 42). Pure. */
import type { JobStatus } from './status.ts';

/** The sync program reports at least every 4 s; others are given three times 10 s. */
export const STALLED_AFTER_SECONDS = 30;

/**
 * @param heardAt of its last report, or of its start when it has not reported yet; undefined before that
 */
export function isStalled(of: { status: JobStatus; heardAt: Date | undefined; now: Date }): boolean {
  if (of.status !== 'running' || of.heardAt === undefined) return false;
  return of.now.getTime() - of.heardAt.getTime() > STALLED_AFTER_SECONDS * 1000;
}
