/** Turns a next start into its job once its key is free. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import { batchLock } from './next-starts.ts';
import type { Db } from '../schema.ts';
import type { Submission } from './submission.ts';
import { findHolder, submitJobIn, type Submitted } from './submit.ts';

/**
 * Stores the job and forgets the start, in one transaction. While the key is held the start stays as it is.
 * @returns undefined when there was nothing to do, or another worker is doing it
 */
export async function submitNext(db: Db, { env, target }: Key): Promise<Submitted | undefined> {
  return await db.transaction().execute(async (tx) => {
    // A batch may hold the job of the key and want the start; we would hold the start and want the job.
    const { rows } = await sql<{ ours: boolean }>`
      SELECT pg_try_advisory_xact_lock(hashtextextended(${batchLock({ env, target })}, 0)) AS ours`.execute(
      tx,
    );
    if (!rows[0]?.ours) return undefined;
    const next = await tx
      .selectFrom('next_starts')
      .selectAll()
      .where('env', '=', env)
      .where('target', '=', target)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (!next) return undefined;
    const holder = await findHolder(tx, next);
    if (holder) return { kind: 'busy', holder };
    const { uid, trigger, traceparent, requested_by: requestedBy, request } = next;
    const origin = traceparent === null ? undefined : { traceparent };
    const submission: Submission = { ...request, env, target, uid, trigger, requestedBy, origin };
    const submitted = await submitJobIn(tx, submission);
    // A twin that another caller has just started may be halfway through its source: the start stays behind it.
    if (submitted.kind === 'created') await tx.deleteFrom('next_starts').where('uid', '=', uid).execute();
    return submitted;
  });
}
