/** Stores one row per step of a job that changes a sink; the rows of `changes` hold the previous records. */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { Applied } from '../sink.ts';
import type { SinkRow } from './fence.ts';
import { dropPlan } from './kept-plan.ts';
import type { Places } from './places.ts';
import { stepKey, type Writer } from '../writer.ts';

export const TABLE_WAS_EMPTY = 'the table was empty before';

export type ChangeSet = {
  readonly id: string;
  readonly job_id: string | null;
  readonly job_uid: string | null;
  readonly action: string;
  readonly state: 'open' | 'applied' | 'interrupted';
  /** Why no rollback can undo this set; null: it can. */
  readonly begins_history: string | null;
  /** For a rollback: the first set that it undid. */
  readonly back_to: string | null;
  readonly opened_at: Date;
  readonly applied_at: Date | null;
  readonly watermark_before: Date | null;
  readonly proven_before: boolean | null;
  readonly coarse_before: boolean | null;
  readonly counts: Applied | null;
};

/**
 * Finds or creates the set of this step. Open sets of other steps become `interrupted` and stay part of the history.
 */
export async function openChangeSet(
  client: PoolClient,
  places: Places,
  { sink, writer }: { sink: SinkRow; writer: Writer },
): Promise<ChangeSet> {
  const key = stepKey(writer);
  await client.query(
    `UPDATE ${places.changeSets} SET state = 'interrupted' WHERE sink = $1 AND state = 'open' AND step_key <> $2`,
    [sink.id, key],
  );
  await client.query(
    `INSERT INTO ${places.changeSets} (sink, step_key, job_id, job_uid, origin_uid, action, state,
       watermark_before, proven_before, coarse_before)
     VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9) ON CONFLICT DO NOTHING`,
    [
      sink.id,
      key,
      writer.jobId,
      writer.jobUid,
      writer.originUid,
      writer.action,
      sink.watermark,
      sink.proven,
      sink.coarse_times,
    ],
  );
  const set = await findByKey(client, places, { sink: sink.id, key });
  if (!set)
    throw new JobError(
      'failed',
      `sink: the row of this job is missing in ${places.changeSets}; run the job again`,
    );
  return set;
}

/** Reads the set as the current transaction sees it. */
export async function readChangeSet(client: PoolClient, places: Places, id: string): Promise<ChangeSet> {
  const { rows } = await client.query<ChangeSet>(`SELECT * FROM ${places.changeSets} WHERE id = $1`, [id]);
  if (!rows[0])
    throw new JobError('failed', `sink: the row ${id} is missing in ${places.changeSets}; run the job again`);
  return rows[0];
}

async function findByKey(
  client: PoolClient,
  places: Places,
  { sink, key }: { sink: number; key: string },
): Promise<ChangeSet | null> {
  const { rows } = await client.query<ChangeSet>(
    `SELECT * FROM ${places.changeSets} WHERE sink = $1 AND step_key = $2`,
    [sink, key],
  );
  return rows[0] ?? null;
}

/** Finds a rollback that an earlier job of the same chain of resumes has applied. */
export async function findAppliedRollback(
  client: PoolClient,
  places: Places,
  { sink, originUid }: { sink: number; originUid: string | null },
): Promise<ChangeSet | null> {
  const { rows } = await client.query<ChangeSet>(
    `SELECT * FROM ${places.changeSets} WHERE sink = $1 AND origin_uid = $2 AND action = 'rollback' AND state = 'applied'
     ORDER BY id LIMIT 1`,
    [sink, originUid],
  );
  return rows[0] ?? null;
}

/** Marks the set as applied. Whatever was planned before no longer holds. */
export async function closeChangeSet(
  client: PoolClient,
  places: Places,
  of: { id: string; applied: Applied; watermark: Date | null; beginsHistory: string | null },
): Promise<void> {
  await dropPlan(client, places, of.id);
  await client.query(
    `UPDATE ${places.changeSets} SET state = 'applied', applied_at = clock_timestamp(), counts = $2, watermark_after = $3,
       begins_history = coalesce(begins_history, $4) WHERE id = $1`,
    [of.id, JSON.stringify(of.applied), of.watermark, of.beginsHistory],
  );
}

/** Notes that the table was empty before this set. */
export async function beginHistory(client: PoolClient, places: Places, id: string): Promise<void> {
  await client.query(`UPDATE ${places.changeSets} SET begins_history = $2 WHERE id = $1`, [
    id,
    TABLE_WAS_EMPTY,
  ]);
}
