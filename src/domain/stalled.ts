/**
 * Decides whether a running job counts as stalled: silent, or without progress. The page shows it; no job ends
 * because of it. Pure.
 */
import type { JobStatus } from './status.ts';

type Silence = {
  readonly status: JobStatus;
  /** Time of its last report, or of its start before the first report; undefined before both. */
  readonly heardAt: Date | undefined;
  readonly now: Date;
  /** STALLED_AFTER of its params file. */
  readonly afterSeconds: number;
};

type Sameness = Pick<Silence, 'status' | 'now' | 'afterSeconds'> & {
  /** Since when its reports no longer change; undefined before the first. */
  readonly progressedAt: Date | undefined;
  /** The awaited event. A wait does not count as stalled: the page shows it, and it has its own limits. */
  readonly waitingFor: string | null;
};

export function isStalled(silence: Silence): boolean {
  return stalledSeconds(silence) > 0;
}

/** Seconds for which it has counted as silent; 0 if it does not. */
export function stalledSeconds({ status, heardAt, now, afterSeconds }: Silence): number {
  if (status !== 'running' || heardAt === undefined) return 0;
  return Math.max(0, (now.getTime() - heardAt.getTime()) / 1000 - afterSeconds);
}

/** Seconds for which it has counted as without progress (NO_PROGRESS_AFTER); 0 if it does not. */
export function noProgressSeconds({ progressedAt, waitingFor, ...of }: Sameness): number {
  return waitingFor === null ? stalledSeconds({ ...of, heardAt: progressedAt }) : 0;
}
