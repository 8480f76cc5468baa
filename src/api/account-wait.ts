/** Waits for jobs of the account without holding a connection, and starts the one that a call asked for. */
import { type AccountRun, readAccountRun } from '../db/account-runs.ts';
import type { Origin } from '../db/audit.ts';
import type { Changes } from '../db/changes.ts';
import type { Db } from '../db/schema.ts';
import type { JobRequest } from '../domain/job.ts';
import { isFinal } from '../domain/status.ts';
import { submit } from '../temporal/submit.ts';
import type { ApiDeps } from './context.ts';
import { accepted } from './start-answer.ts';

/** A change that nobody told us of is seen this much later. */
const LOOK_MS = 1_000;

/** `isOurs`: the job began, or will begin, after the call; of another one `run` is what is in its way. */
export type Waited = { readonly run: AccountRun; readonly isOurs: boolean };

/**
 * Starts a job and waits for its end; first for the end of one that has begun already, since that may have read what
 * was true before the call. One that nobody has claimed yet is as good as our own. Returns sooner once `until` aborts,
 * or maintenance holds the job back.
 *
 * @throws the driver's error when Postgres is away
 */
export async function startAndWait(
  deps: Pick<ApiDeps, 'temporal' | 'log' | 'changes'> & { readonly db: Db },
  request: JobRequest,
  { until, ...by }: { requestedBy: string; origin?: Origin; until: AbortSignal },
): Promise<Waited> {
  for (;;) {
    const submitted = await submit(deps, { ...request, trigger: 'api', ...by });
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
  // The change is a hint, the row is the truth: subscribed before the first look, so that none is missed.
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
