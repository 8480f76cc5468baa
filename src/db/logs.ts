/** The followed log of each step, in chunks keyed by their byte offset, so that appending twice changes nothing. */
import { sql } from 'kysely';
import type { Db } from './schema.ts';
import type { StepRef } from './steps.ts';

/** A step keeps this much of its log; older chunks go first. */
export const LOG_LIMIT_BYTES = 1024 * 1024;

/** Where following goes on: bytes stored so far, and the runner's own word for the place. */
export type LogEnd = { readonly offset: number; readonly mark: string | null };

export type LogChunk = { readonly byte_offset: number; readonly text: string };

/**
 * Appends what stands at a byte offset of the program's log, if that is at or after what is stored. False when another
 * follower was first: go on from `logEnd`. NUL, which text cannot hold, is shown.
 */
export async function appendLog(
  db: Db,
  ref: StepRef,
  part: { offset: number; bytes: Buffer; next: LogEnd },
): Promise<boolean> {
  const { offset, bytes } = part;
  const text = bytes.toString('utf8').replaceAll('\u0000', '\u2400');
  const { numAffectedRows } = await sql`
    WITH old AS (
      DELETE FROM step_logs
      WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}
        AND byte_offset < ${offset - LOG_LIMIT_BYTES}
    )
    INSERT INTO step_logs (job_id, step, attempt, byte_offset, byte_length, text, mark)
    SELECT ${ref.jobId}, ${ref.step}, ${ref.attempt}, ${offset}::bigint, ${bytes.length}::integer, ${text},
      ${part.next.mark}
    WHERE ${offset}::bigint >= coalesce((
      SELECT byte_offset + byte_length FROM step_logs
      WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}
      ORDER BY byte_offset DESC LIMIT 1), 0)
    ON CONFLICT DO NOTHING`.execute(db);
  return numAffectedRows === 1n;
}

/** The place after the last stored chunk. */
export async function logEnd(db: Db, ref: StepRef): Promise<LogEnd> {
  const { rows } = await sql<LogEnd>`
    SELECT byte_offset + byte_length AS offset, mark FROM step_logs
    WHERE job_id = ${ref.jobId} AND step = ${ref.step} AND attempt = ${ref.attempt}
    ORDER BY byte_offset DESC LIMIT 1`.execute(db);
  return rows[0] ?? { offset: 0, mark: null };
}

/** Chunks of a step from an offset on, oldest first, at most 256 of them. */
export async function readLog(db: Db, ref: StepRef, from: number): Promise<LogChunk[]> {
  return await db
    .selectFrom('step_logs')
    .select(['byte_offset', 'text'])
    .where('job_id', '=', ref.jobId)
    .where('step', '=', ref.step)
    .where('attempt', '=', ref.attempt)
    .where('byte_offset', '>=', from)
    .orderBy('byte_offset')
    .limit(256)
    .execute();
}
