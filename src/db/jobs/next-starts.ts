/**
 * Next starts (QUEUE=one): the one start of a key that is remembered while another job holds the key. The latest wins. The
 * transaction that stores its job deletes it (submit-next.ts).
 */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { JobScope } from '../../domain/permission.ts';
import { takesPlaceOf } from '../../domain/queue.ts';
import { isSameJson } from '../../domain/same-json.ts';
import { audit, type By } from '../access/audit.ts';
import type { Db, FrozenRequest, JobRow, Schema, Tx } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';
import type { Submission } from './submission.ts';

export type NextStart = {
  readonly [K in keyof Omit<Schema['next_starts'], 'request' | 'at'>]: Schema['next_starts'][K];
} & { readonly request: FrozenRequest; readonly at: Date };

const PAGE = 100;

/**
 * Remembers the submission as the next start of its key. An earlier remembered one stays if it asks for the same, or does the
 * work of the new one too.
 * @returns what is remembered now; undefined if the caller may not replace what is remembered. Safe to repeat.
 */
export async function rememberIn(tx: Tx, s: Submission, holder: JobRow): Promise<NextStart | undefined> {
  for (;;) {
    const current = await readForUpdate(tx, s);
    const values = valuesOf(s, holder);
    if (!current) {
      const stored = await tx
        .insertInto('next_starts')
        .values(values)
        .onConflict((conflict) => conflict.columns(['env', 'target']).doNothing())
        .returningAll()
        .executeTakeFirst();
      if (!stored) continue; // another caller was quicker: look at what it stored
      await auditQueued(tx, s, holder);
      return stored;
    }
    if (isSameJson(current.request, frozen(s))) return current;
    if (!takesPlaceOf(s.parameters, current.request.parameters)) return current;
    if (s.mayReplace?.(scopeOf(current)) === false) return undefined;
    const stored = await tx
      .updateTable('next_starts')
      .set({ ...values, at: sql<Date>`now()` })
      .where('env', '=', s.env)
      .where('target', '=', s.target)
      .returningAll()
      .executeTakeFirstOrThrow();
    await auditQueued(tx, s, holder, current);
    return stored;
  }
}

/** Names what is remembered, which may be an earlier start that does the work of the new one. */
export function describeQueued({ env, target, behind, request }: NextStart): string {
  const { action_name } = request.parameters;
  return `${action_name} of target '${target}' in env '${env}' is queued behind job ${behind}`;
}

/** The advisory lock of a key that a batch takes before its rows. */
export function batchLock({ env, target }: Key): string {
  return `batch ${env} ${target}`;
}

/** What permissions compare. */
export function scopeOf({ env, request }: NextStart): JobScope {
  const { action_name, action } = request.parameters;
  return { env, action_name, action };
}

async function readForUpdate(tx: Tx, { env, target }: Key): Promise<NextStart | undefined> {
  return await tx
    .selectFrom('next_starts')
    .selectAll()
    .where('env', '=', env)
    .where('target', '=', target)
    .forUpdate()
    .executeTakeFirst();
}

function frozen(s: Submission): FrozenRequest {
  const { parameters, runner, steps, actionParameters, sourceName, counted } = s;
  return { parameters, runner, steps, actionParameters, sourceName, counted };
}

function valuesOf(s: Submission, { id: behind }: JobRow) {
  const { env, target, uid, trigger, requestedBy: requested_by } = s;
  const traceparent = s.origin?.traceparent ?? null;
  return { env, target, uid, request: JSON.stringify(frozen(s)), trigger, requested_by, traceparent, behind };
}

async function auditQueued(tx: Tx, s: Submission, holder: JobRow, replaced?: NextStart): Promise<void> {
  await audit(tx, {
    principal: s.requestedBy,
    origin: s.origin,
    verb: 'queue',
    object: `target ${s.target}`,
    detail: {
      env: s.env,
      ...s.parameters,
      behind: `job ${holder.id}`,
      ...(replaced && {
        replaced: `${replaced.request.parameters.action_name} of ${replaced.requested_by}`,
      }),
    },
  });
}

/** Keys with a next start and without an active job; the longest waiting first. */
export async function listDueNext(db: Db): Promise<Key[]> {
  const { rows } = await sql<Key>`
    SELECT env, target FROM next_starts n
    WHERE NOT EXISTS (
      SELECT FROM jobs j WHERE j.env = n.env AND j.target = n.target AND j.status IN ${ACTIVE})
    ORDER BY at LIMIT ${PAGE}`.execute(db);
  return rows;
}

export async function readNext(db: Db, { env, target }: Key): Promise<NextStart | undefined> {
  return await db
    .selectFrom('next_starts')
    .selectAll()
    .where('env', '=', env)
    .where('target', '=', target)
    .executeTakeFirst();
}

/** All of them, at most one per key. */
export async function listNext(db: Db, target?: string): Promise<NextStart[]> {
  return await db
    .selectFrom('next_starts')
    .selectAll()
    .$if(target !== undefined, (query) => query.where('target', '=', target ?? ''))
    .execute();
}

/** Forgets exactly this start. False if it is not remembered any more: it has become a job, or another replaced it. */
export async function dropNext(db: Db, { uid, ...by }: { uid: string } & By): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const dropped = await tx
      .deleteFrom('next_starts')
      .where('uid', '=', uid)
      .returningAll()
      .executeTakeFirst();
    if (dropped) await auditDropped(tx, dropped, by);
    return dropped !== undefined;
  });
}

/**
 * Locks it before the row of a job: everybody takes both in this order, so that none waits for another in a circle. A batch
 * with two starts of the key takes them the other way round, so the lock of batches comes first.
 */
export async function lockNext(tx: Tx, key: Key): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${batchLock(key)}, 0))`.execute(tx);
  await readForUpdate(tx, key);
}

/** A rollback is not undone by a start that somebody asked for before it. */
export async function dropNextIn(tx: Tx, { env, target }: Key, by: By): Promise<void> {
  const dropped = await tx
    .deleteFrom('next_starts')
    .where('env', '=', env)
    .where('target', '=', target)
    .returningAll()
    .executeTakeFirst();
  if (dropped) await auditDropped(tx, dropped, by);
}

async function auditDropped(tx: Tx, { env, target, request, requested_by: asked }: NextStart, by: By) {
  const { action_name } = request.parameters;
  const detail = { env, action_name, next_start_of: asked };
  await audit(tx, { ...by, verb: 'unqueue', object: `target ${target}`, detail });
}
