/** What is kept no longer, and what nobody can see any more, is deleted: by a command, and by the workers every hour. */
import { setTimeout as wait } from 'node:timers/promises';
import type { By } from './db/audit.ts';
import { purgeAudit } from './db/audit-purge.ts';
import {
  findOldJobs,
  findOldLogs,
  type Found,
  measureLogs,
  purgeJobs,
  purgeLog,
  purgeRecords,
  readCutoff,
  whilePurging,
} from './db/purge.ts';
import type { Db } from './db/schema.ts';
import { thinReports, tidyRows } from './db/tidy.ts';
import type { Retention } from './domain/age.ts';
import type { Log } from './log.ts';

export type Purged = {
  /** Jobs whose logs went, and the bytes of their text. */
  readonly logs: number;
  readonly logBytes: number;
  readonly jobs: number;
  /** Firings, runs outside of ours, audit lines. */
  readonly records: number;
};

export type Plan = Omit<Purged, 'records'> & {
  readonly logsBefore: Date | undefined;
  readonly jobsBefore: Date | undefined;
};

const NOBODY: By = { principal: 'retention' };
const EVERY_MS = 3_600_000;
/** With their logs they are still little. */
const JOBS_AT_ONCE = 20;

/** What would go now. Changes nothing; reads every old job once. */
export async function planPurge(db: Db, keep: Retention): Promise<Plan> {
  const cutoffs = await readCutoffs(db, keep);
  const { logsBefore, jobsBefore } = cutoffs;
  let [logs, logBytes, jobs] = [0, 0, 0];
  if (logsBefore)
    for await (const ids of pages((after) => findOldLogs(db, logsBefore, after))) {
      logs += ids.length;
      logBytes += await measureLogs(db, ids);
    }
  if (jobsBefore)
    for await (const ids of pages((after) => findOldJobs(db, jobsBefore, after))) jobs += ids.length;
  return { ...cutoffs, logs, logBytes, jobs };
}

/**
 * Deletes it, in batches.
 * @param options.by as the audit has it; the workers' own hourly round where nobody is said
 * @param options.onProgress told after each batch of what has gone so far
 * @returns undefined when another one is at it
 */
export async function purge(
  db: Db,
  keep: Retention,
  options: { by?: By; signal?: AbortSignal; onProgress?: (purged: Purged) => void } = {},
): Promise<Purged | undefined> {
  const { signal, onProgress } = options;
  return await whilePurging(db, async (own) => {
    const { logsBefore, jobsBefore } = await readCutoffs(own, keep);
    const done = { logs: 0, logBytes: 0, jobs: 0, records: 0 };
    const tell = () => {
      signal?.throwIfAborted();
      onProgress?.({ ...done });
    };
    if (logsBefore)
      for await (const ids of pages((after) => findOldLogs(own, logsBefore, after)))
        for (const id of ids) {
          done.logBytes += await measureLogs(own, [id]);
          await purgeLog(own, id);
          done.logs += 1;
          tell();
        }
    if (jobsBefore) {
      // What resumed a job goes before it, and is younger: the older one goes with the next round.
      for (let before = -1; before < done.jobs; ) {
        before = done.jobs;
        for await (const ids of pages((after) => findOldJobs(own, jobsBefore, after)))
          for (let at = 0; at < ids.length; at += JOBS_AT_ONCE) {
            done.jobs += await purgeJobs(own, ids.slice(at, at + JOBS_AT_ONCE), jobsBefore);
            tell();
          }
      }
      for (const some of [purgeRecords, purgeAuditBy(options.by ?? NOBODY)])
        for (let rows = await some(own, jobsBefore); rows > 0; rows = await some(own, jobsBefore)) {
          done.records += rows;
          tell();
        }
    }
    while ((await tidyRows(own)) > 0) tell();
    for (let after: number | undefined = 0; after !== undefined; after = await thinReports(own, after))
      tell();
    return done;
  });
}

/** Every hour, from the start on, until the signal aborts. Several workers at once are harmless: one of them does it. */
export async function retentionLoop(
  { db, log, keep }: { db: Db; log: Log; keep: Retention },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const purged = await purge(db, keep, { signal });
      if (purged && purged.logs + purged.jobs > 0) log.info({ ...purged }, 'deleted what is kept no longer');
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'retention failed; tried again in an hour');
    }
    await wait(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

const purgeAuditBy = (by: By) => async (db: Db, before: Date) => await purgeAudit(db, before, by);

async function readCutoffs(db: Db, keep: Retention): Promise<Pick<Plan, 'logsBefore' | 'jobsBefore'>> {
  const cutoff = async (seconds: number | undefined) =>
    seconds === undefined ? undefined : await readCutoff(db, seconds);
  return { logsBefore: await cutoff(keep.logsSeconds), jobsBefore: await cutoff(keep.jobsSeconds) };
}

async function* pages(find: (after: number) => Promise<Found>): AsyncGenerator<readonly number[]> {
  let after: number | undefined = 0;
  while (after !== undefined) {
    const found: Found = await find(after);
    if (found.ids.length > 0) yield found.ids;
    after = found.next;
  }
}
