/**
 * Inserts a job's row; no other function does. At most one active job per key; safe to repeat by uid. A start that may queue
 * is remembered instead while its key is held.
 */
import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { ROLLBACK, TAKE_OVER } from '../../domain/action.ts';
import type { Key } from '../../domain/job.ts';
import { isPreview, liftsGuard } from '../../domain/options.ts';
import type { NotPromoted } from '../../domain/promotion.ts';
import { mayQueueBehind } from '../../domain/queue.ts';
import { isSameJson } from '../../domain/same-json.ts';
import { makeTraceparent } from '../../domain/trace.ts';
import { audit } from '../access/audit.ts';
import { findKey, storeKey } from './idempotency.ts';
import { dropNextIn, lockNext, type NextStart, rememberIn } from './next-starts.ts';
import type { Submission } from './submission.ts';
import { findMissingPromotion } from './promotion.ts';
import type { Db, JobRow, Tx } from '../schema.ts';
import { ACTIVE } from '../status-sql.ts';

export type Submitted =
  | { readonly kind: 'created'; readonly job: JobRow }
  | { readonly kind: 'deduplicated'; readonly job: JobRow }
  /** Another job holds the key; the start is remembered (QUEUE=one), or one that does its work too. */
  | { readonly kind: 'queued'; readonly next: NextStart }
  /** Another job holds the key; nothing was stored. */
  | { readonly kind: 'busy'; readonly holder: JobRow }
  /** PROMOTE_FROM asks for a run that is missing; nothing was stored. */
  | { readonly kind: 'not_promoted'; readonly missing: NotPromoted }
  /** Another body has used the Idempotency-Key; nothing was stored. */
  | { readonly kind: 'key_reused' };

export type RefusedSubmission = Exclude<Submitted, { kind: 'created' | 'deduplicated' | 'queued' }>;

export function isRefused(submitted: Submitted): submitted is RefusedSubmission {
  return ['busy', 'not_promoted', 'key_reused'].includes(submitted.kind);
}

/** Another job has resumed the same job; nothing was stored. */
export class AlreadyResumed extends Error {
  readonly by: JobRow;
  constructor(by: JobRow) {
    super(`job ${by.resumes} has been resumed by job ${by.id}`);
    this.by = by;
  }
}

class Undo extends Error {
  readonly result: Submitted;
  constructor(result: Submitted) {
    super('undo');
    this.result = result;
  }
}

/**
 * Submits in its own transaction. After a lost connection call it again with the same uid.
 * @throws the driver's error when Postgres is away (isDatabaseUnavailable): then the outcome is unknown;
 * AlreadyResumed
 */
export async function submitJob(db: Db, submission: Submission): Promise<Submitted> {
  try {
    return await db.transaction().execute(async (tx) => {
      const result = await submitJobIn(tx, submission);
      // Only an accepted job stores the key: a refused request may be tried again under it.
      if (isRefused(result)) throw new Undo(result);
      return result;
    });
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

/** The same, within the caller's READ COMMITTED transaction. */
export async function submitJobIn(tx: Tx, submission: Submission): Promise<Submitted> {
  const replayed = await replay(tx, submission);
  if (replayed) return replayed;
  const result = await insertOrFind(tx, submission);
  const { idempotency } = submission;
  if (idempotency && (result.kind === 'created' || result.kind === 'deduplicated'))
    await storeKey(tx, idempotency, {
      job_id: result.job.id,
      deduplicated: result.kind === 'deduplicated',
    });
  if (idempotency && result.kind === 'queued')
    await storeKey(tx, idempotency, { job_id: null, deduplicated: false, answer: JSON.stringify(result) });
  return result;
}

async function replay(tx: Tx, submission: Submission): Promise<Submitted | undefined> {
  const { idempotency } = submission;
  if (!idempotency) return undefined;
  const stored = await findKey(tx, idempotency);
  if (!stored) return undefined;
  if (stored.body_hash !== idempotency.bodyHash) return { kind: 'key_reused' };
  if (stored.job_id === null) return queuedBefore(stored.answer);
  const job = await tx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', stored.job_id)
    .executeTakeFirstOrThrow();
  return { kind: stored.deduplicated ? 'deduplicated' : 'created', job };
}

/** The same answer as the first time, whatever has become of that start. A batch has no single answer, and another hash. */
function queuedBefore(answer: unknown): Submitted {
  const stored = answer as Partial<Extract<Submitted, { kind: 'queued' }>> | null;
  if (stored?.kind !== 'queued' || !stored.next) return { kind: 'key_reused' };
  return { kind: 'queued', next: { ...stored.next, at: new Date(stored.next.at) } };
}

async function insertOrFind(tx: Tx, submission: Submission): Promise<Submitted> {
  const missing = submission.unpromoted ? undefined : await findMissingPromotion(tx, submission);
  if (missing) return { kind: 'not_promoted', missing };
  const goesBack = submission.parameters.action === ROLLBACK && !isPreview(submission.parameters);
  if (goesBack) await lockNext(tx, submission);
  for (let tries = 0; tries < 3; tries++) {
    const created = await insertJob(tx, submission);
    if (created) {
      await auditCreated(tx, submission, created);
      // It would bring back at once what the rollback undoes.
      if (goesBack)
        await dropNextIn(tx, created, { principal: submission.requestedBy, origin: submission.origin });
      return { kind: 'created', job: created };
    }
    const mine = await tx.selectFrom('jobs').selectAll().where('uid', '=', submission.uid).executeTakeFirst();
    if (mine) return { kind: 'created', job: mine };
    const resumedBy = await findResuming(tx, submission);
    if (resumedBy) throw new AlreadyResumed(resumedBy);
    const holder = await findHolder(tx, submission);
    if (!holder) continue; // the holder ended between insert and look: insert again
    const isOne = !submission.alone && isSame(holder, submission);
    if (isOne) return { kind: 'deduplicated', job: holder };
    const { queue, parameters } = submission;
    const mayQueue = queue !== undefined && mayQueueBehind(parameters, holder, queue);
    const next = mayQueue ? await rememberIn(tx, submission, holder) : undefined;
    return next ? { kind: 'queued', next } : { kind: 'busy', holder };
  }
  throw new Error(
    `submit: the key ${submission.env}/${submission.target} changed hands three times; try again`,
  );
}

async function auditCreated(tx: Tx, submission: Submission, created: JobRow): Promise<void> {
  const notes = [
    ...(liftsGuard(created.options) ? ['guard lifted'] : []),
    ...(submission.unpromoted && submission.promotion ? ['not promoted'] : []),
  ];
  await audit(tx, {
    principal: submission.requestedBy,
    origin: submission.origin,
    verb: created.action === TAKE_OVER ? 'take-over' : 'start',
    object: `job ${created.id}`,
    detail: {
      trigger: submission.trigger,
      env: created.env,
      target: created.target,
      ...submission.parameters,
      ...(notes.length > 0 ? { note: notes.join(', ') } : {}),
      ...submission.actionParameters,
    },
  });
}

async function findResuming(tx: Tx, { resumes }: Submission): Promise<JobRow | undefined> {
  if (!resumes) return undefined;
  return await tx.selectFrom('jobs').selectAll().where('resumes', '=', resumes.jobId).executeTakeFirst();
}

async function insertJob(tx: Tx, s: Submission): Promise<JobRow | undefined> {
  const spec = JSON.stringify(s.steps);
  const given = s.actionParameters ? JSON.stringify(s.actionParameters) : null;
  const held = s.runner === 'external' ? sql<boolean>`false` : sql<boolean>`maintenance.paused`;
  const { rows } = await sql<JobRow>`
    INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, mam_main_query, runner,
      steps_spec, spec_hash, "trigger", requested_by, traceparent, resumes, skipped_steps, action_parameters,
      description, counted_target, counted_action, source_name, status, status_reason)
    SELECT ${s.uid}::uuid, ${s.env}, ${s.target}, ${s.parameters.action_name}, ${s.parameters.action},
      ${s.parameters.is_tag}, ${s.parameters.options}, ${s.parameters.mam_main_query}::text, ${s.runner},
      ${spec}::jsonb, ${createHash('sha256').update(spec).digest('hex')}, ${s.trigger}, ${s.requestedBy},
      ${s.origin?.traceparent ?? newTrace()},
      ${s.resumes?.jobId ?? null}::integer, ${s.resumes?.skippedSteps ?? 0}::integer,
      ${given}::jsonb, ${s.actionParameters?.description ?? null}::text,
      ${s.counted?.target ?? null}::text, ${s.counted?.action ?? null}::text, ${s.sourceName ?? null}::text,
      CASE WHEN ${held} THEN 'waiting' ELSE 'queued' END,
      CASE WHEN ${held} THEN 'maintenance' END
    FROM (SELECT paused FROM maintenance ORDER BY id DESC LIMIT 1) AS maintenance
    ON CONFLICT DO NOTHING
    RETURNING *`.execute(tx);
  return rows[0];
}

/** For jobs without a caller, such as those of a schedule. */
function newTrace(): string {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  return makeTraceparent({ traceId: hex(16), spanId: hex(8) });
}

/** The active job of a key. */
export async function findHolder(tx: Tx, { env, target }: Key): Promise<JobRow | undefined> {
  return await tx
    .selectFrom('jobs')
    .selectAll()
    .where('env', '=', env)
    .where('target', '=', target)
    .where(sql<boolean>`status IN ${ACTIVE}`)
    .executeTakeFirst();
}

/** True if the submission asks for what the holder does: the same parameters, and no cancel under way. */
export function isSame(holder: JobRow, s: Submission): boolean {
  return (
    holder.status !== 'cancelling' &&
    holder.action_name === s.parameters.action_name &&
    holder.action === s.parameters.action &&
    holder.is_tag === s.parameters.is_tag &&
    holder.options === s.parameters.options &&
    holder.mam_main_query === s.parameters.mam_main_query &&
    isSameJson(holder.action_parameters ?? {}, s.actionParameters ?? {})
  );
}
