/**
 * The places that SOURCE_LIMIT gives to a source. A place is a claimed job that has not ended: no counter, so no place is lost
 * with a pod, a worker or a workflow.
 */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { placesWords, SOURCE_LIMIT, type SourceLimits } from '../../domain/source-limit.ts';
import type { Db, JobRow, Tx } from '../schema.ts';
import { ACTIVE, UNCLAIMED } from '../status-sql.ts';

type Row = Key &
  Pick<JobRow, 'id' | 'source_name' | 'status_reason' | 'status_detail'> & { claimed: boolean };

export type WaitingJob = Key & {
  readonly id: number;
  /** What it waits for; null: it may begin. */
  readonly words: string | null;
  /** Its row says so already. */
  readonly isShown: boolean;
};

/** The unclaimed jobs of limited sources, in the order of their ids. There are at most as many as keys. */
export async function listWaitingForSource(
  db: Db,
  limits: SourceLimits,
  source?: string,
): Promise<WaitingJob[]> {
  const names = [...limits.keys()].filter((name) => source === undefined || name === source);
  if (names.length === 0) return [];
  const { rows } = await sql<Row>`
    SELECT id, env, target, source_name, status_reason, status_detail, run_id IS NOT NULL AS claimed FROM jobs
    WHERE status IN ${ACTIVE} AND runner <> 'external' AND source_name = ANY(${names}::text[])
    ORDER BY id`.execute(db);
  return [...Map.groupBy(rows, (row) => row.source_name ?? '')].flatMap(([name, jobs]) =>
    waitingOf(name, limits.get(name) ?? Infinity, jobs),
  );
}

function waitingOf(source: string, most: number, jobs: readonly Row[]): WaitingJob[] {
  const holders = jobs.filter(({ claimed }) => claimed).map(({ id }) => id);
  const before: number[] = [];
  return jobs
    .filter(({ claimed }) => !claimed)
    .map(({ id, env, target, status_reason, status_detail }) => {
      const isFree = holders.length + before.length < most;
      const words = isFree ? null : placesWords({ source, most, holders, before });
      before.push(id);
      const isShown = status_reason === SOURCE_LIMIT && status_detail === words;
      return { id, env, target, words, isShown };
    });
}

/**
 * Whether an unclaimed job may take a place; if not, its row says what it waits for. Claims of one source queue here, so that
 * each sees the places that those before it took.
 */
export async function takePlace(
  tx: Tx,
  { id, source, limits }: { id: number; source: string; limits: SourceLimits },
): Promise<boolean> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`source ${source}`}, 0))`.execute(tx);
  const waiting = (await listWaitingForSource(tx, limits, source)).find((job) => job.id === id);
  if (waiting === undefined || waiting.words === null) return true;
  await showWaiting(tx, waiting);
  return false;
}

/** Maintenance is the reason that counts while it lasts. */
export async function showWaiting(db: Db, { id, words }: WaitingJob): Promise<void> {
  await sql`
    UPDATE jobs SET status = 'waiting', status_reason = ${SOURCE_LIMIT}, status_detail = ${words}
    WHERE id = ${id} AND run_id IS NULL AND status IN ${UNCLAIMED}
      AND NOT (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1)`.execute(db);
}
