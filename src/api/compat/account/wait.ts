/** Starts the job of a call and waits for jobs of the account, without holding a database connection. */
import { type AccountRun, readAccountRun } from '../../../db/views/account-runs.ts';
import type { Origin } from '../../../db/access/audit.ts';
import type { Changes } from '../../../db/changes.ts';
import type { Db } from '../../../db/schema.ts';
import { isFinal } from '../../../domain/status.ts';
import { type StartDeps, startJob } from '../../../engine/start-job.ts';
import type { PlannedJob } from '../../../job-params/plan-job.ts';
import { accepted } from '../../jobs/start-answer.ts';

/** Polls at this interval, in case a notification is lost. */
const LOOK_MS = 1_000;

/** `isOurs`: the job started, or will start, after the call. Otherwise `run` is the job in its way. */
export type Waited = { readonly run: AccountRun; readonly isOurs: boolean };

/**
 * Starts a job and waits for its end. Waits for the end of an active job first, since it may have read the source before
 * the call; an unclaimed job serves as our own. Returns early once `until` aborts or maintenance holds the job.
 *
 * @throws the driver's error when Postgres is away
 */
export async function startAndWait(
  deps: StartDeps & { readonly changes: Changes },
  planned: PlannedJob,
  { until, ...by }: { requestedBy: string; origin?: Origin; until: AbortSignal },
): Promise<Waited> {
  for (;;) {
    // The caller remembers a debounced start itself.
    const submitted = await startJob(deps, { ...planned, queue: undefined, trigger: 'api', ...by });
    const isOurs =
      submitted.kind === 'created' || (submitted.kind === 'deduplicated' && submitted.job.run_id === null);
    const { id } = submitted.kind === 'busy' ? submitted.holder : accepted(submitted);
    const run = await untilEnded(deps, id, until);
    if (isOurs || !isFinal(run.status)) return { run, isOurs };
  }
}

export function isHeld({ status, status_reason: reason }: Pick<AccountRun, 'status' | 'status_reason'>) {
  return status === 'waiting' && reason === 'maintenance';
}

async function untilEnded(
  { db, changes }: { db: Db; changes: Changes },
  id: number,
  until: AbortSignal,
): Promise<AccountRun> {
  let wake = () => {};
  // Subscribes before the first read, so that no change is missed.
  const unsubscribe = changes.subscribe((change) => {
    if (change.kind === 'connected' || (change.kind === 'job' && change.id === id)) wake();
  });
  until.addEventListener('abort', () => wake(), { once: true });
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const run = await readAccountRun(db, id);
      if (!run) throw new Error(`job ${id} is gone`);
      if (isFinal(run.status) || isHeld(run) || until.aborted) return run;
      const timer = setTimeout(() => wake(), LOOK_MS);
      await woken;
      clearTimeout(timer);
    }
  } finally {
    unsubscribe();
  }
}
