/**
 * The log of each step, in chunks keyed by their byte offset. The step's row holds the end of the log, so that of
 * several followers only one appends each part.
 */
import { sql } from 'kysely';
import { type Extent, type LogShare, mergeable } from '../../domain/log-chunks.ts';
import { maskCredentials } from '../../domain/mask.ts';
import type { Db, LogState } from '../schema.ts';
import type { StepRef } from './steps.ts';

/** The place where following continues: bytes read so far, and the runner's own mark for the place. */
export type LogEnd = { readonly offset: number; readonly mark: string | null };

/** Text from `offset` up to `end`, in bytes. */
export type LogChunk = { readonly offset: number; readonly end: number; readonly text: string };

/** Bytes that one read holds in memory at most, plus its last chunk. */
const READ_BYTES = 1024 * 1024;

const of = ({ jobId, step, attempt }: StepRef) =>
  sql`job_id = ${jobId} AND step = ${step} AND attempt = ${attempt}`;

/**
 * Appends text at a byte offset of the program's log, if nothing beyond that offset has been read; a skipped part
 * becomes a gap in the text. False when another follower was first: continue from `logEnd`. NUL is made visible,
 * because text columns cannot hold it; credentials are masked.
 * @param part.bytes whole words: masking would not recognise half a credential
 * @param keep text outside both shares is dropped
 */
export async function appendLog(
  db: Db,
  ref: StepRef,
  part: { offset: number; bytes: Buffer; next: LogEnd },
  keep: LogShare,
): Promise<boolean> {
  const text = maskCredentials(part.bytes.toString('utf8').replaceAll('\u0000', '\u2400'));
  const length = Buffer.byteLength(text);
  const { numAffectedRows } = await sql`
    WITH held AS (
      UPDATE steps SET
        log_bytes = log_bytes + ${part.offset}::bigint - log_read + ${length}::bigint,
        log_read = ${part.next.offset}::bigint, log_mark = ${part.next.mark}
      WHERE ${of(ref)} AND log_read <= ${part.offset}
      RETURNING log_bytes
    ), old AS (
      DELETE FROM step_logs USING held WHERE ${of(ref)}
        AND byte_offset >= ${keep.head} AND byte_offset < held.log_bytes - ${keep.tail}::bigint
        AND byte_offset + byte_length <= held.log_bytes - ${keep.tail}::bigint
    )
    INSERT INTO step_logs (job_id, step, attempt, byte_offset, byte_length, text)
    SELECT ${ref.jobId}, ${ref.step}, ${ref.attempt}, log_bytes - ${length}::bigint, ${length}::integer, ${text}
    FROM held`.execute(db);
  return numAffectedRows === 1n;
}

/** The place up to which a step's log was read; the beginning for an unknown step. */
export async function logEnd(db: Db, ref: StepRef): Promise<LogEnd> {
  const { rows } = await sql<LogEnd>`
    SELECT log_read AS offset, log_mark AS mark FROM steps WHERE ${of(ref)}`.execute(db);
  return rows[0] ?? { offset: 0, mark: null };
}

/** Marks the log as ended. Safe to repeat; a log marked complete stays so. */
export async function endLog(
  db: Db,
  ref: StepRef,
  state: Exclude<LogState, 'growing' | 'removed'>,
): Promise<void> {
  await sql`
    UPDATE steps SET log_state = ${state}
    WHERE ${of(ref)} AND log_state IN ('growing', 'end_missing')`.execute(db);
}

/** Merges many small chunks into one, which Postgres then compresses. Safe to repeat, and beside any follower. */
export async function mergeLog(db: Db, ref: StepRef): Promise<void> {
  const { rows } = await sql<Extent>`
    SELECT byte_offset, byte_length FROM step_logs WHERE ${of(ref)} ORDER BY byte_offset`.execute(db);
  // If another worker has merged them meanwhile, nothing is deleted, and nothing is inserted.
  for (const { from, to } of mergeable(rows))
    await sql`
      WITH small AS (
        DELETE FROM step_logs WHERE ${of(ref)} AND byte_offset BETWEEN ${from} AND ${to}
        RETURNING byte_offset, byte_length, text
      )
      INSERT INTO step_logs (job_id, step, attempt, byte_offset, byte_length, text)
      SELECT ${ref.jobId}, ${ref.step}, ${ref.attempt}, min(byte_offset), sum(byte_length),
        string_agg(text, '' ORDER BY byte_offset)
      FROM small HAVING count(*) > 0`.execute(db);
}

/** Text of a step from a byte offset on, oldest first, in as many chunks as one read allows. */
export async function readLog(db: Db, ref: StepRef, from: number): Promise<LogChunk[]> {
  const { rows } = await sql<LogChunk>`
    SELECT byte_offset AS offset, byte_offset + byte_length AS end, text FROM (
      SELECT byte_offset, byte_length, text,
        sum(byte_length) OVER (ORDER BY byte_offset) - byte_length AS before
      FROM step_logs WHERE ${of(ref)} AND byte_offset >= coalesce((
        SELECT max(byte_offset) FROM step_logs WHERE ${of(ref)} AND byte_offset <= ${from}), 0)
        AND byte_offset + byte_length > ${from}
      ORDER BY byte_offset LIMIT 256) AS next
    WHERE before < ${READ_BYTES} ORDER BY byte_offset`.execute(db);
  return rows.map((chunk) => chunkFrom(chunk, from));
}

/** The part of a chunk that begins at or after a byte offset. */
export function chunkFrom(chunk: LogChunk, from: number): LogChunk {
  const { offset, end, text } = chunk;
  if (offset >= from) return chunk;
  return {
    offset: from,
    end,
    text: Buffer.from(text)
      .subarray(from - offset)
      .toString(),
  };
}
