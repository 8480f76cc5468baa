/** The history of change sets: finds the set that a rollback undoes, and purges old sets. */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { RollbackTo } from '../sink.ts';
import type { ChangeSet } from './change-sets.ts';
import type { Places } from './places.ts';
import { inStateTransaction, type Session } from './session.ts';

/**
 * Finds the first set that a rollback undoes: the first one of the named job, or the last sync that is not undone.
 *
 * @param before uid or number of the job; null: the last sync
 * @throws JobError `nothingToRollBack` with the reason
 */
export async function findGoal(
  client: PoolClient,
  places: Places,
  { sink, before, except }: { sink: number; before: RollbackTo['before']; except: string | null },
): Promise<ChangeSet> {
  const { rows: history } = await client.query<ChangeSet>(
    `SELECT * FROM ${places.changeSets} WHERE sink = $1 AND id IS DISTINCT FROM $2 ORDER BY id`,
    [sink, except],
  );
  const goal =
    before === null
      ? standingSyncs(history).at(-1)
      : history.find(({ job_uid: uid, job_id: id }) => uid === before || String(id) === before);
  if (!goal) throw nothing(places, history, before);
  const wall = history.findLast(
    ({ id, begins_history: why }) => why !== null && Number(id) >= Number(goal.id),
  );
  if (wall) {
    throw new JobError(
      'nothingToRollBack',
      `${places.shown} has no earlier data to restore: its history begins with ${nameOf(wall)} (${wall.begins_history})`,
    );
  }
  return goal;
}

/** The applied syncs that no rollback has undone. A rollback that was itself undone does not count. */
function standingSyncs(history: readonly ChangeSet[]): readonly ChangeSet[] {
  const before = new Map<string, readonly ChangeSet[]>();
  let standing: readonly ChangeSet[] = [];
  for (const set of history) {
    before.set(set.id, standing);
    if (set.state !== 'applied') continue;
    if (set.action === 'sync') standing = [...standing, set];
    else if (set.back_to !== null) standing = before.get(set.back_to) ?? [];
  }
  return standing;
}

function nothing({ shown }: Places, history: readonly ChangeSet[], before: string | null): JobError {
  const last = history.findLast(({ state }) => state === 'applied');
  const first = history[0];
  if (!first || !last)
    return new JobError(
      'nothingToRollBack',
      `${shown} has no earlier data to restore: no job has changed it yet`,
    );
  const why =
    before === null
      ? `no sync is left to undo; the last change is ${nameOf(last)}: undo it by its uid (--before)`
      : `no change of the job ${before} is kept; the kept changes begin with ${nameOf(first)} (KEEP_CHANGES)`;
  return new JobError('nothingToRollBack', `${shown} has no earlier data to restore: ${why}`);
}

/** `the sync of job 7 at 2026-11-22T10:00:00.000Z` */
export function nameOf({ action, job_id: id, applied_at: applied, opened_at: opened }: ChangeSet): string {
  return `the ${action}${id === null ? '' : ` of job ${id}`} at ${(applied ?? opened).toISOString()}`;
}

/**
 * Deletes the oldest sets with their changes: only a prefix of the history, only sets older than KEEP_CHANGES,
 * never a part of a job, and never the last applied sync or later sets. If the history exceeds KEEP_CHANGES_SIZE,
 * younger sets are deleted by the same rules.
 */
export async function purgeHistory(session: Session): Promise<void> {
  const { places } = session;
  const purged = await inStateTransaction(session, async (client) => {
    const sets = await listPurgeable(client, session);
    const purge = choosePurge(sets, await bytesAllowed(client, session));
    const ids = purge.map(({ id }) => id);
    if (ids.length > 0) {
      await client.query(`DELETE FROM ${places.changes} WHERE change_set = ANY ($1::bigint[])`, [ids]);
      await client.query(`DELETE FROM ${places.changeSets} WHERE id = ANY ($1::bigint[])`, [ids]);
    }
    return purge;
  });
  if (purged.length === 0) return;
  const young = purged.filter(({ too_old: old }) => !old).length;
  session.log(
    `${purged.length} old change sets were deleted${young > 0 ? `, ${young} of them before KEEP_CHANGES, because KEEP_CHANGES_SIZE was reached` : ''}`,
  );
}

type OldSet = {
  readonly id: string;
  readonly too_old: boolean;
  readonly bytes: string;
  /** Last set of the same job; a diff has two sets. */
  readonly last_of_job: string;
};

/** Oldest first. */
async function listPurgeable(client: PoolClient, { places, sinkId, options }: Session): Promise<OldSet[]> {
  const { rows } = await client.query<OldSet>(
    `SELECT s.id, coalesce(applied_at, opened_at) < now() - make_interval(secs => $2) AS too_old,
       (SELECT coalesce(sum(coalesce(pg_column_size(old_record), 0) + 60), 0) FROM ${places.changes} WHERE change_set = s.id) AS bytes,
       (SELECT max(id) FROM ${places.changeSets} WHERE sink = $1 AND (id = s.id OR job_uid = s.job_uid OR (job_uid IS NULL AND job_id = s.job_id))) AS last_of_job
     FROM ${places.changeSets} s WHERE sink = $1 AND state <> 'open'
       AND s.id < (SELECT max(id) FROM ${places.changeSets} WHERE sink = $1 AND action = 'sync' AND state = 'applied')
     ORDER BY s.id`,
    [sinkId, options.keepChangesMs / 1000],
  );
  return rows;
}

/** The allowed size of the history in bytes; null if the history is smaller anyway. */
async function bytesAllowed(client: PoolClient, { places, table, options }: Session): Promise<number | null> {
  const { rows } = await client.query<{ all: string; live: string }>(
    `SELECT pg_total_relation_size($1::regclass) AS all, pg_total_relation_size($2::regclass) +
       (SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree($2::regclass) WHERE level > 0) AS live`,
    [places.changes, table.quoted],
  );
  const allowed = options.keepChangesBytes ?? 2 * Number(rows[0]?.live);
  return Number(rows[0]?.all) > allowed ? allowed : null;
}

function choosePurge(sets: readonly OldSet[], allowed: number | null): OldSet[] {
  let bytes = sets.reduce((sum, set) => sum + Number(set.bytes), 0);
  const purge: OldSet[] = [];
  for (const set of sets) {
    if (!set.too_old && (allowed === null || bytes <= allowed)) break;
    purge.push(set);
    bytes -= Number(set.bytes);
  }
  // Deleting only a part of a job would leave a history that begins within that job.
  const isSplit = (): boolean =>
    purge.some(({ last_of_job: last }) => Number(last) > Number(purge.at(-1)?.id));
  while (isSplit()) purge.pop();
  return purge;
}
