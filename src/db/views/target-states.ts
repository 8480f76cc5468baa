/** The state of each target in each environment, by its jobs; as quick over a million jobs as over few. */
import { sql } from 'kysely';
import type { JobStatus } from '../../domain/status.ts';
import type { Db, Listing } from '../schema.ts';
import { freshRemovals } from '../jobs/proven-listings.ts';
import { ACTIVE } from '../status-sql.ts';

export type TargetState = {
  readonly env: string;
  readonly target: string;
  readonly last_success_at: Date | null;
  readonly last_success_job_id: number | null;
  readonly watermark: Date | null;
  readonly listing: Listing | null;
  /** As of then no record that the source had lost was live; null: unknown. */
  readonly removals_fresh_at: Date | null;
  /** The job whose listing that is. */
  readonly removals_listed_by: number | null;
  readonly active_job_id: number | null;
  readonly active_status: JobStatus | null;
  readonly last_job_id: number | null;
  readonly last_status: JobStatus | null;
};

/**
 * `WITH keys (env, target)`: every key that ever had a job, found by leaping from one to the next in the index.
 * Postgres has no such scan of its own, and would read every job.
 */
const KEYS_OF_JOBS = sql`
    WITH RECURSIVE keys AS (
      (SELECT env, target FROM jobs ORDER BY env, target LIMIT 1)
      UNION ALL
      SELECT following.* FROM keys, LATERAL (
        SELECT env, target FROM jobs WHERE (env, target) > (keys.env, keys.target) ORDER BY env, target LIMIT 1
      ) following
    )`;

/** The same for one target. */
const keysOf = (target: string) => sql`
    WITH RECURSIVE envs AS (
      SELECT min(env) AS env FROM jobs
      UNION ALL
      SELECT (SELECT min(env) FROM jobs WHERE env > envs.env) FROM envs WHERE envs.env IS NOT NULL
    ), keys AS (
      SELECT env, ${target} AS target FROM envs
      WHERE EXISTS (SELECT FROM jobs j WHERE j.env = envs.env AND j.target = ${target})
    )`;

/** Last success, last job and active job of every key that ever had a job, or of those of one target. */
export async function listTargetStates(db: Db, target?: string): Promise<TargetState[]> {
  const { rows } = await sql<TargetState>`
    ${target === undefined ? KEYS_OF_JOBS : keysOf(target)}
    SELECT env, target, t.last_success_at, t.last_success_job_id, t.watermark, t.listing,
      fresh.fresh_at AS removals_fresh_at, fresh.listed_by AS removals_listed_by,
      active.id AS active_job_id, active.status AS active_status,
      newest.id AS last_job_id, newest.status AS last_status
    FROM keys
    CROSS JOIN LATERAL (
      SELECT id, status FROM jobs j WHERE j.env = keys.env AND j.target = keys.target ORDER BY id DESC LIMIT 1
    ) newest
    LEFT JOIN targets t USING (env, target)
    LEFT JOIN LATERAL ${freshRemovals(sql`keys.env`, sql`keys.target`)} fresh ON true
    LEFT JOIN LATERAL (
      SELECT id, status FROM jobs j WHERE j.env = keys.env AND j.target = keys.target
        AND status IN ${ACTIVE}
    ) active ON true`.execute(db);
  return rows;
}

export type Freshness = Pick<TargetState, 'env' | 'target' | 'watermark' | 'listing' | 'removals_fresh_at'>;

/** The given targets whose jobs reported a watermark or a listing. */
export async function listFreshness(
  db: Db,
  keys: readonly { readonly env: string; readonly target: string }[],
): Promise<Freshness[]> {
  const { rows } = await sql<Freshness>`
    SELECT env, target, watermark, listing, fresh.fresh_at AS removals_fresh_at
    FROM targets
    LEFT JOIN LATERAL ${freshRemovals(sql`targets.env`, sql`targets.target`)} fresh ON true
    JOIN (SELECT DISTINCT * FROM unnest(${keys.map(({ env }) => env)}::text[],
      ${keys.map(({ target }) => target)}::text[]) AS key(env, target)) AS asked USING (env, target)
    WHERE watermark IS NOT NULL OR listing IS NOT NULL ORDER BY env, target`.execute(db);
  return rows;
}
