/**
 * The reconciler: a level-triggered loop in every worker, which needs no leader because all it does is harmless to
 * repeat (design.md §3.10). An error ends the pass, never the loop.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { alignWaiting } from '../db/maintenance.ts';
import { listActiveUids, listCancelling, listHeld, listUnobserved } from '../db/reconcile.ts';
import type { Db } from '../db/schema.ts';
import type { JobParams } from '../job-params.ts';
import type { Log } from '../log.ts';
import type { Runner } from '../runner/runner.ts';
import { cancelRun } from './cancel.ts';
import { isTemporalAway } from './away.ts';
import type { Temporal } from './connect.ts';
import { describeRun } from './describe.ts';
import { noticeMissedSchedules } from './notices.ts';
import { poke } from './poke.ts';
import { syncSchedules } from './schedules.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

export type ReconcileDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly runner: Runner;
  readonly params: JobParams;
  readonly installation: string;
  readonly log: Log;
  /** Told of each Job or process that belonged to no active job. */
  readonly onOrphan?: (() => void) | undefined;
};

const EVERY_MS = 10_000;
/**
 * A Job without an active row is left alone for this long: its row may be about to be seen. Who made it may go by another
 * clock: what seems to be of the future is as old as it may.
 */
const ORPHAN_AGE_MS = 20_000;

/**
 * Runs until the signal aborts; one pass at once, then every 10 s.
 * @param onPass told after each pass, whatever became of its parts: the process is alive and gets round
 */
export async function reconcileLoop(
  deps: ReconcileDeps,
  signal: AbortSignal,
  onPass: () => void,
): Promise<void> {
  while (!signal.aborted) {
    for (const [name, part] of Object.entries(PARTS)) {
      try {
        await part(deps);
      } catch (error) {
        deps.log.warn({ err: error, part: name }, 'reconcile: this part failed; the next pass tries again');
      }
    }
    onPass();
    await wait(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** In this order: without search attributes no poke succeeds. */
const PARTS: Record<string, (deps: ReconcileDeps) => Promise<void>> = {
  searchAttributes: ({ temporal }) => ensureSearchAttributes(temporal),
  maintenance: ({ db }) => alignWaiting(db),
  unclaimed: pokeUnclaimed,
  unobserved: pokeUnserved,
  cancelling: cancelAgain,
  orphans: removeOrphans,
  schedules: syncSchedules,
  missed: noticeMissedSchedules,
};

/** (a) Wanted, and nobody has come for it. */
async function pokeUnclaimed({ db, temporal, log }: ReconcileDeps): Promise<void> {
  await each(await listHeld(db, 2), log, (key) => poke(temporal, key));
}

/** (b) Claimed, but nobody looks at it any more. */
async function pokeUnserved({ db, temporal, log }: ReconcileDeps): Promise<void> {
  await each(await listUnobserved(db), log, async (job) => {
    const state = await describeRun(temporal, job, job.runId);
    if (state === 'open') return;
    log.info({ job: job.id, state }, 'reconcile: its workflow is gone; poking for a takeover');
    await poke(temporal, job);
  });
}

/** (d) The fast path of a cancel may have been lost. */
async function cancelAgain({ db, temporal, log }: ReconcileDeps): Promise<void> {
  await each(await listCancelling(db), log, async (job) => {
    if ((await describeRun(temporal, job, job.runId)) === 'open') await cancelRun(temporal, job, job.runId);
  });
}

/** (c) The listing first, the rows after it: what began in between has its row by then. */
async function removeOrphans({ db, runner, log, onOrphan }: ReconcileDeps): Promise<void> {
  const old = (await runner.list()).filter(
    (listed) => !listed.removing && Math.abs(Date.now() - listed.createdAt.getTime()) > ORPHAN_AGE_MS,
  );
  const active = await listActiveUids(
    db,
    old.map((listed) => listed.labels.jobUid),
  );
  const orphans = old.filter((listed) => !active.has(listed.labels.jobUid));
  await each(orphans, log, async ({ name, uid, live, labels }) => {
    log.info({ name, job: labels.jobId, live }, 'reconcile: removing what belongs to no active job');
    onOrphan?.();
    if (live) await runner.remove({ name, uid, force: false });
    else await runner.forget({ name, uid });
  });
}

/** One item that fails does not keep the ones behind it waiting; a Temporal that is away ends the part. */
async function each<T>(items: readonly T[], log: Log, work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (isTemporalAway(error)) throw error;
      log.warn({ err: error, item }, 'reconcile: this item failed; the next pass tries again');
    }
  }
}
