/** Stories of records: stored as a job tells them, read with the jobs that they name, erased after a week. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { storyOf } from '../../domain/options.ts';
import { REMOVAL_IN_OPTIONS } from '../losses/losses.ts';
import type { Db } from '../schema.ts';
import { attemptRefusal, readAttempt } from './attempts.ts';
import type { StepRef } from './steps.ts';

const ROWS = 1_000;

export type StoryVerdict = { readonly kind: 'told' | 'no_story' | 'unknown' | 'ended' | 'cancelling' };

/**
 * Replaces every earlier story of the same record. Safe to repeat. The job's row is locked against its end: a request to
 * forget the record, which needs the key of the job, then comes later and erases the story.
 */
export async function storeStory(db: Db, ref: StepRef, story: object): Promise<StoryVerdict> {
  return await db.transaction().execute(async (tx) => {
    await sql`SELECT FROM jobs WHERE id = ${ref.jobId} FOR SHARE`.execute(tx);
    const found = await readAttempt(tx, ref, { lock: false });
    if (!found) return { kind: 'unknown' };
    const refused = attemptRefusal(found);
    if (refused) return { kind: refused };
    const id = storyOf({ action: found.jobAction, options: found.options });
    if (id === undefined) return { kind: 'no_story' };
    const { env, target } = found;
    await eraseStories(tx, { env, target, ids: [id] });
    await tx
      .insertInto('stories')
      .values({ job_id: ref.jobId, env, target, id, story: JSON.stringify(story) })
      .execute();
    return { kind: 'told' };
  });
}

export async function eraseStories(
  db: Db,
  { env, target, ids }: Key & { ids: readonly string[] },
): Promise<void> {
  await sql`
    DELETE FROM stories WHERE env = ${env} AND target = ${target} AND id = ANY (${ids}::text[])`.execute(db);
}

/** @returns how many rows; 0 when none are left */
export async function expireStories(db: Db): Promise<number> {
  const { numAffectedRows: rows = 0n } = await sql`
    DELETE FROM stories WHERE job_id IN (
      SELECT job_id FROM stories WHERE told_at < now() - interval '7 days' LIMIT ${ROWS})`.execute(db);
  return Number(rows);
}

export type StoredStory<Story> = Key & {
  readonly id: string;
  readonly job_id: number;
  readonly told_at: Date;
  readonly story: Story;
  /** Until when an answer keeps the record; null: no answer does. */
  readonly pinned_until: Date | null;
};

/** The newest story of a record, or the one that a job told. Older ones than a week are gone, whether deleted or not yet. */
export async function readStory<Story>(
  db: Db,
  of: { jobId: number } | (Key & { id: string }),
): Promise<StoredStory<Story> | undefined> {
  const which =
    'jobId' in of
      ? sql`s.job_id = ${of.jobId}`
      : sql`s.env = ${of.env} AND s.target = ${of.target} AND s.id = ${of.id}`;
  const { rows } = await sql<StoredStory<Story>>`
    SELECT s.*, p.until AS pinned_until FROM stories s LEFT JOIN loss_pins p USING (env, target, id)
    WHERE ${which} AND s.told_at >= now() - interval '7 days' ORDER BY s.told_at DESC LIMIT 1`.execute(db);
  return rows[0];
}

export type StoryJob = {
  readonly uid: string;
  readonly id: number;
  readonly requested_by: string;
  /** Of a removal: who approved it. */
  readonly approvals: readonly { readonly by: string; readonly reason: string; readonly at: string }[];
};

/** The jobs of a key by their uids; without those that were purged. */
export async function readStoryJobs(
  db: Db,
  { env, target, uids }: Key & { uids: readonly string[] },
): Promise<ReadonlyMap<string, StoryJob>> {
  const { rows } = await sql<StoryJob>`
    SELECT j.uid, j.id, j.requested_by, coalesce((
      SELECT jsonb_agg(jsonb_build_object('by', a.by_name, 'reason', a.reason, 'at', a.at) ORDER BY a.at)
      FROM loss_removals r JOIN loss_approvals a ON a.removal = r.uid
      WHERE j.action = 'remove' AND r.uid = ${REMOVAL_IN_OPTIONS}), '[]'::jsonb) AS approvals
    FROM jobs j WHERE j.uid = ANY (${uids}::uuid[]) AND j.env = ${env} AND j.target = ${target}`.execute(db);
  return new Map(rows.map((job) => [job.uid, job]));
}
