/** The only writer of a job of RUNNER=external once it is there, but for its cancel. */
import { sql } from 'kysely';
import { endOf, externalDiagnosis, type ExternalWord, linesOf } from '../domain/external.ts';
import type { LogShare } from '../domain/log-chunks.ts';
import { maskedWithin } from '../domain/mask.ts';
import { isFinal } from '../domain/status.ts';
import { audit, type By } from './audit.ts';
import { recordSuccess } from './finish.ts';
import { appendLines } from './job-log.ts';
import type { Db } from './schema.ts';
import type { JobRow } from './submit.ts';

export type Told =
  | { readonly kind: 'updated' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not_external'; readonly job: JobRow }
  /** It has ended, by its executor or by a cancel: the word came too late and left nothing behind. */
  | { readonly kind: 'final'; readonly job: JobRow };

/**
 * Writes an executor's word down, whether or not there is maintenance. Saying the same twice is two lines in the log,
 * but for the word that ended it: that one is final.
 * @param input.keep of its log
 */
export async function tellOfExternal(
  db: Db,
  input: { id: number; word: ExternalWord; keep: LogShare } & By,
): Promise<Told> {
  // Programs say what they were called with: no credential is kept of it.
  const word = maskedWithin(input.word);
  const end = endOf(word);
  const diagnosis = end === 'failed' ? JSON.stringify(externalDiagnosis(input.id, word)) : null;
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<JobRow>`
      UPDATE jobs SET
        status = ${end ?? 'running'},
        phase = coalesce(${word.status ?? null}::text, phase),
        description = coalesce(${word.description ?? null}::text, description),
        diagnosis = ${diagnosis}::jsonb,
        started_at = coalesce(started_at, now()),
        observed_at = now(),
        finished_at = CASE WHEN ${end !== null} THEN now() END
      WHERE id = ${input.id} AND runner = 'external' AND status IN ('queued', 'running')
      RETURNING *`.execute(tx);
    const job = rows[0];
    if (!job) {
      const found = await tx.selectFrom('jobs').selectAll().where('id', '=', input.id).executeTakeFirst();
      if (!found) return { kind: 'unknown' };
      if (found.runner !== 'external') return { kind: 'not_external', job: found };
      if (isFinal(found.status)) return { kind: 'final', job: found };
      throw new Error(`job ${found.id} is external and ${found.status}, which no external job can be`);
    }
    await appendLines(tx, job.id, linesOf(word), input.keep);
    if (end === 'completed') await recordSuccess(tx, job);
    const { status, description } = word;
    await audit(tx, {
      principal: input.principal,
      origin: input.origin,
      verb: 'update',
      object: `job ${job.id}`,
      detail: { status, description },
    });
    return { kind: 'updated' };
  });
}
