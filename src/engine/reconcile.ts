/**
 * The reconciler: a level-triggered loop in every worker. It needs no leader, because every action is safe to repeat. An
 * error ends one part of a pass, never the loop.
 */
import { alignWaiting } from '../db/maintenance.ts';
import { listActiveUids, listCancelling, listHeld, listUnobserved } from '../db/jobs/reconcile.ts';
import { isReadOnly } from '../db/connect.ts';
import { returnPinned } from '../db/losses/pins.ts';
import { expectWrites } from '../db/migrate.ts';
import { noticeWaitingLosses } from '../db/notices.ts';
import { listWaitingForSource, showWaiting } from '../db/jobs/source-places.ts';
import type { Db } from '../db/schema.ts';
import type { SourceLimits } from '../domain/source-limit.ts';
import type { JobParams } from '../job-params/load.ts';
import type { Log } from '../log.ts';
import type { Runner } from '../runner/runner.ts';
import { cancelRun } from './cancel.ts';
import { isTemporalUnavailable } from '../temporal/unavailable.ts';
import type { Temporal } from '../temporal/connect.ts';
import { describeRun } from '../temporal/describe.ts';
import { every } from './every.ts';
import { noticeMissedSchedules } from './notifications.ts';
import { poke } from '../temporal/poke.ts';
import { syncSchedules } from '../temporal/schedules.ts';
import type { Waker } from './waker.ts';
import type { SearchAttributes } from '../temporal/search-attributes.ts';

export type ReconcileDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly searchAttributes: SearchAttributes;
  readonly runner: Runner;
  readonly sourceLimits: SourceLimits;
  readonly params: JobParams;
  readonly installation: string;
  readonly log: Log;
  /** Called for each Job or process that belongs to no active job. */
  readonly onOrphan?: (() => void) | undefined;
  /** Begins the next pass at once. */
  readonly waker?: Waker;
};

const EVERY_MS = 10_000;
/**
 * A Job without an active row is left alone for this long: its row may not be visible yet. The cluster's clock may differ
 * from ours, so a creation time in the future counts by its distance too.
 */
const ORPHAN_AGE_MS = 20_000;

/**
 * Runs until the signal aborts; one pass at once, then every 10 s.
 * @param onPass called after each pass, failed or not: the process is alive
 */
export async function reconcileLoop(
  deps: ReconcileDeps,
  signal: AbortSignal,
  onPass: () => void,
): Promise<void> {
  const known = new Set<string>();
  const round = async () => {
    if (await takesWrites(deps)) await pass(deps, known);
    onPass();
  };
  const onError = (error: unknown) =>
    deps.log.warn({ err: error }, 'reconcile: the pass failed; retrying with the next one');
  await every(EVERY_MS, signal, round, onError, deps.waker);
}

async function pass(deps: ReconcileDeps, known: Set<string>): Promise<void> {
  for (const [name, part] of Object.entries(PARTS)) {
    try {
      await part(deps, known);
    } catch (error) {
      deps.log.warn({ err: error, part: name }, 'reconcile: this part failed; retrying with the next pass');
    }
  }
}

/** The old primary of a failover answers reads without newer jobs, whose Jobs would then look like orphans. */
async function takesWrites({ db, log }: ReconcileDeps): Promise<boolean> {
  try {
    await expectWrites(db);
  } catch (error) {
    if (!isReadOnly(error)) return true; // each part logs its own error
    log.warn({ err: error }, 'reconcile: Postgres is read-only; retrying with the next pass');
    return false;
  }
  return true;
}

/** Ordered: search attributes come first, because a run keeps those that it began with. */
const PARTS: Record<string, (deps: ReconcileDeps, known: Set<string>) => Promise<void>> = {
  searchAttributes: ({ searchAttributes }) => searchAttributes.ensure(),
  maintenance: ({ db }) => alignWaiting(db),
  unclaimed: pokeUnclaimed,
  unobserved: pokeUnserved,
  cancelling: cancelAgain,
  orphans: removeOrphans,
  schedules: keepSchedules,
  missed: noticeMissedSchedules,
  pins: ({ db }) => returnPinned(db),
  losses: ({ db }) => noticeWaitingLosses(db),
};

/** (a) Pokes the keys of queued jobs that no workflow has claimed, except those that wait for a place of their source. */
async function pokeUnclaimed({ db, temporal, sourceLimits, log }: ReconcileDeps): Promise<void> {
  const held = (await listWaitingForSource(db, sourceLimits)).filter(({ words }) => words !== null);
  for (const job of held) if (!job.isShown) await showWaiting(db, job);
  const except = held.map(({ id }) => id);
  await each(await listHeld(db, { olderThanSeconds: 2, except }), log, (key) => poke(temporal, key));
}

/** (b) Pokes the keys of claimed jobs that no activity has observed lately. */
async function pokeUnserved({ db, temporal, log }: ReconcileDeps): Promise<void> {
  await each(await listUnobserved(db), log, async (job) => {
    const state = await describeRun(temporal, job, job.runId);
    if (state === 'open') return;
    log.info({ job: job.id, state }, 'reconcile: the workflow of this job is gone; poking for a takeover');
    await poke(temporal, job);
  });
}

/** (d) Cancels the run of a cancelling job again: the first request may have been lost. */
async function cancelAgain({ db, temporal, log }: ReconcileDeps): Promise<void> {
  await each(await listCancelling(db), log, async (job) => {
    if ((await describeRun(temporal, job, job.runId)) === 'open') await cancelRun(temporal, job, job.runId);
  });
}

/**
 * A worker whose files on disk are faulty leaves the schedules as they are: it uses an older state than a worker with good
 * files, and both would undo each other's changes.
 */
async function keepSchedules(deps: ReconcileDeps): Promise<void> {
  if (deps.params.faults.length === 0) await syncSchedules(deps);
}

/**
 * (c) Removes orphans. Lists the runner first and reads rows after it: a job that began in between has its row by then.
 * @param known uids that were logged already: an orphan that stays is removed again, and logged once
 */
async function removeOrphans(
  { db, runner, log, onOrphan }: ReconcileDeps,
  known: Set<string>,
): Promise<void> {
  const old = (await runner.list()).filter(
    (listed) => !listed.removing && Math.abs(Date.now() - listed.createdAt.getTime()) > ORPHAN_AGE_MS,
  );
  const active = await listActiveUids(
    db,
    old.map((listed) => listed.labels.jobUid),
  );
  const orphans = old.filter((listed) => !active.has(listed.labels.jobUid));
  const uids = new Set(orphans.map(({ uid }) => uid));
  for (const uid of known) if (!uids.has(uid)) known.delete(uid);
  await each(orphans, log, async ({ name, uid, live, labels }) => {
    if (!known.has(uid)) {
      log.info(
        { name, job: labels.jobId, live },
        'reconcile: removing an orphan that belongs to no active job',
      );
      onOrphan?.();
    }
    known.add(uid);
    if (live) await runner.remove({ name, uid, force: false });
    else await runner.forget({ name, uid });
  });
}

/** An item that fails does not stop the items after it; an unreachable Temporal ends the part. */
async function each<T>(items: readonly T[], log: Log, work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (isTemporalUnavailable(error)) throw error;
      log.warn({ err: error, item }, 'reconcile: this item failed; retrying with the next pass');
    }
  }
}
