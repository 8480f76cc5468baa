/**
 * The freshness of removals: the newest completed job with a proven listing, and nothing held that an older or the same
 * listing lacked. Derived from the listings and the waiting set, each of which has its own writer.
 */
import { type RawBuilder, sql } from 'kysely';
import { ROLLBACK, TAKE_OVER } from '../../domain/action.ts';
import { appliedPlan, namedRecords } from '../../domain/options.ts';
import type { JobRow, Tx } from '../schema.ts';

/**
 * A subquery of the newest listing since which all removals of a key are done: `fresh_at`, and `listed_by`, the id of the job
 * that listed; no row: unknown. A listing shows its source as it was when the job began to read: a record may be deleted there
 * once its page has been read.
 *
 * @param env,target SQL of the key
 */
export function freshRemovals(env: RawBuilder<unknown>, target: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(
    SELECT coalesce(p.read_from, p.at) AS fresh_at, p.job_id AS listed_by
    FROM (SELECT coalesce((
        SELECT coalesce(u.oldest, l.born_at) FROM losses l LEFT JOIN loss_uploads u ON u.id = l.upload_id
        WHERE l.env = ${env} AND l.target = ${target} AND l.status = 'waiting'), 'infinity') AS since) held
      JOIN proven_listings p ON p.env = ${env} AND p.target = ${target} AND p.at < held.since
        -- It follows from that, and lets the index begin there.
        AND coalesce(p.read_from, p.at) < held.since
    ORDER BY coalesce(p.read_from, p.at) DESC LIMIT 1)`;
}

/**
 * Records the listing of a job that completes. A job that holds records and could not tell them is left out. A rollback of
 * the whole target and a take-over begin anew: what was removed may be back, or the table is another one.
 *
 * The listing of an applied plan is as old as the plan. If the apply holds records, their set is younger than that listing, which
 * lacked them already, so it does not count.
 */
export async function recordListing(
  tx: Tx,
  job: Pick<JobRow, 'id' | 'env' | 'target' | 'action' | 'options'>,
): Promise<void> {
  const { id, env, target } = job;
  if (beginsAnew(job)) {
    await sql`DELETE FROM proven_listings WHERE env = ${env} AND target = ${target}`.execute(tx);
    return;
  }
  const plan = appliedPlan(job);
  const listedAt = plan === undefined ? sql`clock_timestamp()` : bornAt(plan);
  const readFrom =
    plan === undefined ? firstBegin(sql`${id}::int`, sql`told.action`) : firstBegin(plannedBy(plan));
  const { numAffectedRows: added = 0n } = await sql`
    WITH told AS (
      SELECT (array_agg(facts->>'listing' ORDER BY step DESC, attempt DESC)
          FILTER (WHERE facts ? 'listing'))[1] AS listing,
        (array_agg(action ORDER BY step DESC, attempt DESC) FILTER (WHERE facts ? 'listing'))[1] AS action,
        coalesce((array_agg((facts->>'held')::bigint ORDER BY step DESC, attempt DESC)
          FILTER (WHERE facts ? 'held'))[1], 0) AS held
      FROM steps WHERE job_id = ${id})
    INSERT INTO proven_listings (env, target, at, read_from, job_id)
    SELECT ${env}, ${target}, at, read_from, ${plan === undefined ? sql`${id}::int` : plannedBy(plan)}
    FROM told CROSS JOIN LATERAL (SELECT ${listedAt} AS at, ${readFrom} AS read_from) AS listed
    WHERE listing = 'complete' AND at IS NOT NULL AND (held = 0 OR ${plan === undefined} AND EXISTS (
      SELECT FROM losses WHERE env = ${env} AND target = ${target} AND status = 'waiting'))
    ON CONFLICT DO NOTHING`.execute(tx);
  if (added === 0n) return;
  // A record may be held today that was first missed long ago, such as one that other tables referred to until now.
  await sql`
    DELETE FROM proven_listings WHERE env = ${env} AND target = ${target}
      AND at < now() - interval '100 days' AND at < (
        SELECT fresh_at FROM ${freshRemovals(sql`${env}`, sql`${target}`)} fresh)`.execute(tx);
}

/**
 * SQL of the time when the first attempt began to read, also that of a job which this one resumes: its load goes on.
 * @param action of the steps; missing: all
 */
function firstBegin(jobId: RawBuilder<unknown>, action?: RawBuilder<unknown>): RawBuilder<Date | null> {
  return sql<Date | null>`(
    WITH RECURSIVE chain AS (
      SELECT id, resumes FROM jobs WHERE id = ${jobId}
      UNION ALL
      SELECT earlier.id, earlier.resumes FROM jobs earlier JOIN chain ON earlier.id = chain.resumes)
    SELECT min(s.created_at) FROM chain JOIN steps s ON s.job_id = chain.id
    ${action === undefined ? sql`` : sql`WHERE s.action = ${action}`})`;
}

function plannedBy(uid: string): RawBuilder<number | null> {
  return sql<number | null>`(SELECT id FROM jobs WHERE uid = ${uid})`;
}

/** SQL of the time of a plan; null: the plan is not known any more. */
function bornAt(uid: string): RawBuilder<Date | null> {
  return sql<Date | null>`(SELECT born_at FROM plans p JOIN jobs j ON j.id = p.job_id WHERE j.uid = ${uid})`;
}

function beginsAnew({ action, options }: Pick<JobRow, 'action' | 'options'>): boolean {
  if (action === TAKE_OVER) return true;
  if (action !== ROLLBACK) return false;
  const { ids, only } = namedRecords(options);
  return ids === undefined && only !== true;
}
