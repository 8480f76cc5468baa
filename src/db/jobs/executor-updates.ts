/**
 * Records the updates of external executors. Apart from the cancel, it alone writes a stored job of
 * RUNNER=external.
 */
import { sql } from 'kysely';
import { endOf, externalDiagnosis, type ExecutorUpdate, linesOf } from '../../domain/executor-update.ts';
import type { LogShare } from '../../domain/log-chunks.ts';
import { maskedWithin } from '../../domain/mask.ts';
import { isFinal } from '../../domain/status.ts';
import { audit, type By } from '../access/audit.ts';
import { recordSuccess } from './finish.ts';
import { appendLines } from './job-log.ts';
import type { Db, JobRow } from '../schema.ts';
import { BY_EXECUTOR } from '../status-sql.ts';

export type Recorded =
  | { readonly kind: 'updated' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not_external'; readonly job: JobRow }
  /** The executor or a cancel has ended the job: the update was not stored. */
  | { readonly kind: 'final'; readonly job: JobRow };

type Before = { readonly was_phase: string | null; readonly was_description: string | null };

/**
 * Records an executor's update, also during maintenance. A repeated update adds its log lines again. Every update
 * after the one that ended the job is rejected.
 * @param input.keep how much of its log to keep
 */
export async function recordExecutorUpdate(
  db: Db,
  input: { id: number; word: ExecutorUpdate; keep: LogShare } & By,
): Promise<Recorded> {
  // Programs report their own arguments, which may contain credentials.
  const word = maskedWithin(input.word);
  const end = endOf(word);
  const diagnosis = end === 'failed' ? JSON.stringify(externalDiagnosis(input.id, word)) : null;
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<JobRow & Before>`
      UPDATE jobs SET
        status = ${end ?? 'running'},
        phase = coalesce(${word.status ?? null}::text, phase),
        description = coalesce(${word.description ?? null}::text, description),
        diagnosis = ${diagnosis}::jsonb,
        started_at = coalesce(started_at, now()),
        observed_at = now(),
        progressed_at = CASE WHEN progressed_at IS NULL OR ${word.log !== undefined}
          OR phase IS DISTINCT FROM coalesce(${word.status ?? null}::text, phase)
          OR description IS DISTINCT FROM coalesce(${word.description ?? null}::text, description)
          THEN now() ELSE progressed_at END,
        finished_at = CASE WHEN ${end !== null} THEN now() END
      FROM (SELECT id AS was_id, phase AS was_phase, description AS was_description FROM jobs
        WHERE id = ${input.id} FOR UPDATE) AS was
      WHERE id = was_id AND runner = 'external' AND status IN ${BY_EXECUTOR}
      RETURNING *`.execute(tx);
    const job = rows[0];
    if (!job) {
      const found = await tx.selectFrom('jobs').selectAll().where('id', '=', input.id).executeTakeFirst();
      if (!found) return { kind: 'unknown' };
      if (found.runner !== 'external') return { kind: 'not_external', job: found };
      if (isFinal(found.status)) return { kind: 'final', job: found };
      throw new Error(
        `job ${found.id} is external, but its status is ${found.status}, which external jobs never have`,
      );
    }
    await appendLines(tx, job.id, linesOf(word), input.keep);
    if (end === 'completed') await recordSuccess(tx, job);
    const { status, description } = word;
    await audit(tx, {
      principal: input.principal,
      origin: input.origin,
      verb: 'update',
      object: `job ${job.id}`,
      detail: { status, description, before: { status: job.was_phase, description: job.was_description } },
    });
    return { kind: 'updated' };
  });
}
