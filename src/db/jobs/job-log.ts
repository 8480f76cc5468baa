/** The log of a job of RUNNER=external: its executor's lines, each with its time, read by bytes like other logs. */
import { sql } from 'kysely';
import type { LogShare } from '../../domain/log-chunks.ts';
import { chunkFrom, type LogChunk } from './logs.ts';
import type { Db, Tx } from '../schema.ts';

/** Length of `2026-11-22T01:00:00.000Z`, a space and the end of the line. */
const AROUND_BYTES = 24 + 2;

/**
 * Call it in the transaction that locks the job's row: the lock keeps two writers in order.
 * @param keep lines outside both shares are dropped
 */
export async function appendLines(
  tx: Tx,
  jobId: number,
  messages: readonly string[],
  keep: LogShare,
): Promise<void> {
  let offset = await linesEnd(tx, jobId);
  for (const message of messages) {
    const byte_length = AROUND_BYTES + Buffer.byteLength(message);
    await tx
      .insertInto('job_log')
      .values({ job_id: jobId, byte_offset: offset, byte_length, message })
      .execute();
    offset += byte_length;
  }
  await tx
    .deleteFrom('job_log')
    .where('job_id', '=', jobId)
    .where('byte_offset', '>=', keep.head)
    .where('byte_offset', '<', offset - keep.tail)
    .execute();
}

/** Bytes logged so far, including dropped ones. */
export async function linesEnd(db: Db, jobId: number): Promise<number> {
  const { rows } = await sql<{ end: number }>`
    SELECT byte_offset + byte_length AS end FROM job_log
    WHERE job_id = ${jobId} ORDER BY byte_offset DESC LIMIT 1`.execute(db);
  return rows[0]?.end ?? 0;
}

/** Text from a byte offset on, oldest line first; at most 256 lines. */
export async function readLines(db: Db, jobId: number, from: number): Promise<LogChunk[]> {
  const { rows } = await sql<{ byte_offset: number; byte_length: number; at: Date; message: string }>`
    SELECT byte_offset, byte_length, at, message FROM job_log
    WHERE job_id = ${jobId} AND byte_offset >= coalesce((
      SELECT max(byte_offset) FROM job_log WHERE job_id = ${jobId} AND byte_offset <= ${from}), 0)
      AND byte_offset + byte_length > ${from}
    ORDER BY byte_offset LIMIT 256`.execute(db);
  return rows.map(({ byte_offset: offset, byte_length, at, message }) =>
    chunkFrom({ offset, end: offset + byte_length, text: `${at.toISOString()} ${message}\n` }, from),
  );
}
