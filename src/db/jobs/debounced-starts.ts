/**
 * Debounced starts: requests for a job as soon as its key is free. The transaction that stores the job deletes its
 * request. A cancel of that job drops the request, too; a request that joined another caller's job outlives a
 * cancel of it.
 */
import { sql } from 'kysely';
import { audit, type Origin } from '../access/audit.ts';
import type { Db, JobRow } from '../schema.ts';
import { ACTIVE, UNCLAIMED } from '../status-sql.ts';
import type { Submission } from './submission.ts';
import { findHolder, isSame, submitJobIn, type Submitted } from './submit.ts';

/** `action` is the ACTION_NAME of a params file. */
export type DebouncedStart = { readonly env: string; readonly target: string; readonly action: string };

/** The requests that one submission answers; `items` null: all items. */
export type StartContext = {
  readonly requestedBy: string;
  readonly traceparent: string | null;
  readonly items: readonly string[] | null;
};

/** Debounce in seconds: submit after QUIET without a new request, at the latest after PATIENCE. */
const QUIET_SECONDS = 3;
const PATIENCE_SECONDS = 15;
/** During an upgrade a worker of the previous version may not know a newly declared action yet. */
const UNDECLARED_HOURS = 1;
const PAGE = 100;

/**
 * Remembers that a target is wanted; safe to repeat.
 * @param items the wanted parts of the target; none = everything
 * @param wanted.requestedBy display name of the caller; the newest replaces earlier ones, and so does its trace
 * @param origin of the call; a hook has none, because the audit names the hook with its job
 */
export async function requestStart(
  db: Db,
  { env, target, action, requestedBy, ...of }: DebouncedStart & { requestedBy: string; traceparent?: string },
  items: readonly string[],
  origin?: Origin,
): Promise<void> {
  const everything = items.length === 0;
  const traceparent = of.traceparent ?? origin?.traceparent ?? null;
  await db.transaction().execute(async (tx) => {
    await sql`
      INSERT INTO wanted (env, target, action, requested_by, traceparent, everything)
      VALUES (${env}, ${target}, ${action}, ${requestedBy}, ${traceparent}, ${everything})
      ON CONFLICT (env, target, action) DO UPDATE SET last_at = now(), requested_by = excluded.requested_by,
        traceparent = excluded.traceparent,
        everything = wanted.everything OR excluded.everything`.execute(tx);
    if (origin)
      await audit(tx, {
        principal: requestedBy,
        origin,
        verb: 'want',
        object: `target ${target}`,
        detail: { env, action },
      });
    if (everything) return;
    await tx
      .insertInto('wanted_items')
      .values([...new Set(items)].map((item) => ({ env, target, action, item })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
}

/**
 * Settles wants that joined a waiting job. A want is forgotten once that job has begun, and wanted again if the job
 * was cancelled before, or more was wanted meanwhile. Safe to repeat.
 */
export async function settleJoined(db: Db): Promise<void> {
  await sql`
    DELETE FROM wanted w USING jobs j
    WHERE j.id = w.joined_job AND j.run_id IS NOT NULL AND w.joined_last_at = w.last_at`.execute(db);
  await sql`
    UPDATE wanted w SET joined_job = NULL, joined_last_at = NULL
    WHERE joined_job IS NOT NULL AND (joined_last_at <> last_at OR NOT EXISTS (
      SELECT FROM jobs j WHERE j.id = w.joined_job
        AND (j.run_id IS NOT NULL OR j.status IN ${UNCLAIMED})))`.execute(db);
}

/** Requests whose debounce time is over and whose key has no claimed job; the longest waiting first. */
export async function listDueStarts(db: Db): Promise<DebouncedStart[]> {
  const { rows } = await sql<DebouncedStart>`
    SELECT env, target, action FROM wanted w
    WHERE joined_job IS NULL AND (last_at <= now() - make_interval(secs => ${QUIET_SECONDS})
        OR first_at <= now() - make_interval(secs => ${PATIENCE_SECONDS}))
      AND NOT EXISTS (
        SELECT FROM jobs j WHERE j.env = w.env AND j.target = w.target
          AND j.status IN ${ACTIVE}
          AND (j.run_id IS NOT NULL OR j.runner = 'external'))
    ORDER BY first_at LIMIT ${PAGE}`.execute(db);
  return rows;
}

/**
 * Submits what is wanted, and forgets the want in the same transaction. An unclaimed job with the same parameters
 * will do the same work: the want joins it and stays until that job has begun, because a cancel of the job does not
 * cancel the want. In all other cases the want stays as it is.
 * @param submissionFor what to submit
 * @returns undefined when there was nothing to do, or another worker is submitting it
 */
export async function submitDebounced(
  db: Db,
  { env, target, action }: DebouncedStart,
  submissionFor: (of: StartContext) => Submission,
): Promise<Submitted | undefined> {
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ requested_by: string; traceparent: string | null; everything: boolean }>`
      SELECT requested_by, traceparent, everything FROM wanted
      WHERE env = ${env} AND target = ${target} AND action = ${action} FOR UPDATE SKIP LOCKED`.execute(tx);
    const [wanted] = rows;
    if (!wanted) return undefined;
    const items = await tx
      .selectFrom('wanted_items')
      .select('item')
      .where('env', '=', env)
      .where('target', '=', target)
      .where('action', '=', action)
      .orderBy('item')
      .execute();
    const submission = submissionFor({
      requestedBy: wanted.requested_by,
      traceparent: wanted.traceparent,
      items: wanted.everything ? null : items.map(({ item }) => item),
    });
    // Checked before any insert: a want may wait for a night, and each attempt would use up a job id.
    const holder = await findHolder(tx, submission);
    if (holder && !isSame(holder, submission)) return { kind: 'busy', holder };
    const submitted = await submitJobIn(tx, submission);
    // Asked again, it would be refused again, every second.
    if (submitted.kind === 'created' || submitted.kind === 'not_promoted')
      await forgetIn(tx, { env, target, action });
    else if (submitted.kind === 'deduplicated' && isUnbegun(submitted.job))
      await joinIn(tx, { env, target, action }, submitted.job);
    return submitted;
  });
}

/**
 * Deletes a request whose action no params file declares.
 * @returns false while another version may still declare it
 */
export async function deleteUndeclared(db: Db, { env, target, action }: DebouncedStart): Promise<boolean> {
  const { numAffectedRows } = await sql`
    DELETE FROM wanted WHERE env = ${env} AND target = ${target} AND action = ${action}
      AND first_at < now() - make_interval(hours => ${UNDECLARED_HOURS})`.execute(db);
  return numAffectedRows === 1n;
}

/** False for an external job: nobody knows whether it has begun. */
function isUnbegun({ run_id: runId, runner }: JobRow): boolean {
  return runId === null && runner !== 'external';
}

async function joinIn(db: Db, { env, target, action }: DebouncedStart, { id }: JobRow): Promise<void> {
  await sql`
    UPDATE wanted SET joined_job = ${id}, joined_last_at = last_at
    WHERE env = ${env} AND target = ${target} AND action = ${action}`.execute(db);
}

async function forgetIn(db: Db, { env, target, action }: DebouncedStart): Promise<void> {
  await db
    .deleteFrom('wanted')
    .where('env', '=', env)
    .where('target', '=', target)
    .where('action', '=', action)
    .execute();
}
