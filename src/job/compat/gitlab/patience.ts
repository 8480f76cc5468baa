/** Retries GitLab calls, and decides whether a silent GitLab fails one call or the whole run. */
import { GitlabFault } from './gitlab-fault.ts';
import type { Waits } from './waits.ts';

export type PatienceOptions = {
  readonly waits: Waits;
  /** True if GitLab answers any call. */
  readonly isThere: () => Promise<boolean>;
  /** How long to retry a GitLab that answers nothing, in milliseconds. */
  readonly patienceMs: number;
};

/** Retries `attempt` after transient faults; `attempt` must be safe to repeat. */
export type Retried = <T>(attempt: () => Promise<T>) => Promise<T>;

export const PATIENCE_MS = 60_000;
/** Longest wait that GitLab may ask for. */
export const LONGEST_TOLD_WAIT_MS = 5 * 60_000;

const TRIES = 5;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** Waits that GitLab asks for do not count as failures and have their own limit. */
const MOST_TOLD_WAITS = 20;

export function createPatience({ waits, isThere, patienceMs }: PatienceOptions): Retried {
  return async (attempt) => {
    const began = Date.now();
    for (let failures = 0, told = 0; ; ) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof GitlabFault && error.mayPass)) throw error;
        let waitMs = error.waitMs;
        if (waitMs === null) {
          failures += 1;
          if (failures >= TRIES) {
            // If GitLab answers other calls, only this call fails.
            if (!error.isSilence || (await isThere())) throw error;
            if (Date.now() - began >= patienceMs) throw error.ofAll();
          }
          waitMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
        } else {
          told += 1;
          if (told > MOST_TOLD_WAITS) throw error;
        }
        await waits.pause(waitMs, `GitLab: ${error.message}`);
      }
    }
  };
}
