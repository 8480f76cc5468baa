/** When a running job counts as silent: shown, never a reason to end it (faults.md row 42). Pure. */
import type { JobStatus } from './status.ts';

type Silence = {
  readonly status: JobStatus;
  /** Of its last report, or of its start when it has not reported yet; undefined before that. */
  readonly heardAt: Date | undefined;
  readonly now: Date;
  /** STALLED_AFTER of its params file. */
  readonly afterSeconds: number;
};

export function isStalled({ status, heardAt, now, afterSeconds }: Silence): boolean {
  if (status !== 'running' || heardAt === undefined) return false;
  return now.getTime() - heardAt.getTime() > afterSeconds * 1000;
}
