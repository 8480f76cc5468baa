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

export function isStalled(silence: Silence): boolean {
  return stalledSeconds(silence) > 0;
}

/** For how long it has counted as silent; 0 while it does not. */
export function stalledSeconds({ status, heardAt, now, afterSeconds }: Silence): number {
  if (status !== 'running' || heardAt === undefined) return 0;
  return Math.max(0, (now.getTime() - heardAt.getTime()) / 1000 - afterSeconds);
}
