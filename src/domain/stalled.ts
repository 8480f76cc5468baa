/** Decides whether a running job counts as stalled: silent, or without progress. Shown, and never a reason to end it. Pure. */
import type { JobStatus } from './status.ts';

type Silence = {
  readonly status: JobStatus;
  /** Of its last report, or of its start when it has not reported yet; undefined before that. */
  readonly heardAt: Date | undefined;
  readonly now: Date;
  /** STALLED_AFTER of its params file. */
  readonly afterSeconds: number;
};

type Sameness = Pick<Silence, 'status' | 'now' | 'afterSeconds'> & {
  /** Since when it reports the same; undefined where it has not reported. */
  readonly progressedAt: Date | undefined;
  /** What its program waits for: of that the page tells, and the wait has limits of its own. */
  readonly waitingFor: string | null;
};

export function isStalled(silence: Silence): boolean {
  return stalledSeconds(silence) > 0;
}

/** For how long it has counted as silent; 0 while it does not. */
export function stalledSeconds({ status, heardAt, now, afterSeconds }: Silence): number {
  if (status !== 'running' || heardAt === undefined) return 0;
  return Math.max(0, (now.getTime() - heardAt.getTime()) / 1000 - afterSeconds);
}

/** For how long it has counted as without progress (NO_PROGRESS_AFTER); 0 while it does not. */
export function noProgressSeconds({ progressedAt, waitingFor, ...of }: Sameness): number {
  return waitingFor === null ? stalledSeconds({ ...of, heardAt: progressedAt }) : 0;
}
