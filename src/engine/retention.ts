/** Deletes expired jobs, logs and records: for a command, and in every worker once an hour. */
import type { By } from '../db/access/audit.ts';
import { purgeAudit } from '../db/retention/audit-purge.ts';
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
} from '../db/retention/purge.ts';
import type { Db } from '../db/schema.ts';
import { thinReports, tidyRows } from '../db/retention/expire.ts';
import type { Retention } from '../domain/age.ts';
import type { Log } from '../log.ts';
import { every } from './every.ts';

export type Purged = {
  /** Number of jobs whose logs were deleted, and the bytes of their text. */
  readonly logs: number;
  readonly logBytes: number;
  readonly jobs: number;
  /** Deleted firings, runs of other systems and audit lines. */
  readonly records: number;
};

export type Plan = Omit<Purged, 'records'> & {
  readonly logsBefore: Date | undefined;
  readonly jobsBefore: Date | undefined;
};

const RETENTION: By = { principal: 'retention' };
const EVERY_MS = 3_600_000;
/** Jobs of one DELETE, which stays small with their logs. */
const JOBS_AT_ONCE = 20;

/** Counts the rows that `purge` would delete now. Changes nothing; reads every old job once. */
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
 * Deletes expired rows in batches.
 * @param options.by who purges, for the audit; `retention` by default
 * @param options.onProgress called after each batch with the totals so far
 * @returns undefined while another purge runs
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
      // A job is deleted only after the job that resumed it, which is younger: repeat until a round deletes nothing.
      for (let before = -1; before < done.jobs; ) {
        before = done.jobs;
        for await (const ids of pages((after) => findOldJobs(own, jobsBefore, after)))
          for (let at = 0; at < ids.length; at += JOBS_AT_ONCE) {
            done.jobs += await purgeJobs(own, ids.slice(at, at + JOBS_AT_ONCE), jobsBefore);
            tell();
          }
      }
      for (const some of [purgeRecords, purgeAuditBy(options.by ?? RETENTION)])
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

/** Purges at once and then every hour, until the signal aborts. Of several workers one purges, the others skip. */
export async function retentionLoop(
  { db, log, keep }: { db: Db; log: Log; keep: Retention },
  signal: AbortSignal,
): Promise<void> {
  const pass = async () => {
    const purged = await purge(db, keep, { signal });
    if (purged && purged.logs + purged.jobs > 0) log.info({ ...purged }, 'retention: deleted expired rows');
  };
  await every(EVERY_MS, signal, pass, (error) => {
    if (!signal.aborted) log.warn({ err: error }, 'retention failed; retrying in an hour');
  });
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
