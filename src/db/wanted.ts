/** What is wanted of a target once it is free: kept until the very transaction that stores the job for it. */
import { sql } from 'kysely';
import { audit, type Origin } from './audit.ts';
import type { Db } from './schema.ts';
import { findHolder, isSame, type Submission, submitJobIn, type Submitted } from './submit.ts';

/** `action` is the ACTION_NAME of a params file. */
export type Wanted = { readonly env: string; readonly target: string; readonly action: string };

/** What a submission is made for; `items` null = everything. */
export type WantedFor = {
  readonly requestedBy: string;
  readonly traceparent: string | null;
  readonly items: readonly string[] | null;
};

/** So long after the last want, or after the first of those that never stop, it is submitted. Seconds. */
const QUIET_SECONDS = 3;
const PATIENCE_SECONDS = 15;
/** During an upgrade a worker of the version before does not know yet what is declared by now. */
const UNDECLARED_HOURS = 1;
const PAGE = 100;

/**
 * Remembers that a target is wanted; safe to repeat.
 * @param items the parts of the target that are; none = everything
 * @param wanted.requestedBy as it is shown: the last one counts, and its trace
 * @param origin of whoever called for it; hooks are told of by the job they lead to
 */
export async function want(
  db: Db,
  { env, target, action, requestedBy, ...of }: Wanted & { requestedBy: string; traceparent?: string },
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

/** Wants that are quiet by now, of targets that no claimed job is at work on; the longest waiting first. */
export async function listWanted(db: Db): Promise<Wanted[]> {
  const { rows } = await sql<Wanted>`
    SELECT env, target, action FROM wanted w
    WHERE (last_at <= now() - make_interval(secs => ${QUIET_SECONDS})
        OR first_at <= now() - make_interval(secs => ${PATIENCE_SECONDS}))
      AND NOT EXISTS (
        SELECT FROM jobs j WHERE j.env = w.env AND j.target = w.target
          AND j.status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')
          AND (j.run_id IS NOT NULL OR j.runner = 'external'))
    ORDER BY first_at LIMIT ${PAGE}`.execute(db);
  return rows;
}

/**
 * Submits what is wanted, and forgets the want in the same transaction. A job of the same parameters that nobody has
 * claimed yet will do the same work: then that is the one. Otherwise the want stays.
 *
 * @param submissionFor what is submitted
 * @returns undefined when there was nothing to do, or another worker is at it
 */
export async function submitWanted(
  db: Db,
  { env, target, action }: Wanted,
  submissionFor: (of: WantedFor) => Submission,
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
    // Looked at before anything is inserted: a want may wait for a night, and each try would take a job's id.
    const holder = await findHolder(tx, submission);
    if (holder && !isSame(holder, submission)) return { kind: 'busy', holder };
    const submitted = await submitJobIn(tx, submission);
    const isTaken =
      submitted.kind === 'created' || (submitted.kind === 'deduplicated' && submitted.job.run_id === null);
    if (isTaken) await forgetIn(tx, { env, target, action });
    return submitted;
  });
}

/** For what no params file declares any more. @returns false while it may be declared elsewhere */
export async function forgetUndeclared(db: Db, { env, target, action }: Wanted): Promise<boolean> {
  const { numAffectedRows } = await sql`
    DELETE FROM wanted WHERE env = ${env} AND target = ${target} AND action = ${action}
      AND first_at < now() - make_interval(hours => ${UNDECLARED_HOURS})`.execute(db);
  return numAffectedRows === 1n;
}

async function forgetIn(db: Db, { env, target, action }: Wanted): Promise<void> {
  await db
    .deleteFrom('wanted')
    .where('env', '=', env)
    .where('target', '=', target)
    .where('action', '=', action)
    .execute();
}
