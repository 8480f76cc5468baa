/** The log of a job of RUNNER=external: what its executor said, each line with its time, read by bytes as other logs are. */
import { sql } from 'kysely';
import { LOG_LIMIT_BYTES, type LogChunk } from './logs.ts';
import type { Db, Tx } from './schema.ts';

/** `2026-11-22T01:00:00.000Z`, a space and the end of the line. */
const AROUND_BYTES = 24 + 2;

/** In the transaction that holds the job's row, which is what keeps two writers in order. Older lines go when it is full. */
export async function appendLines(tx: Tx, jobId: number, messages: readonly string[]): Promise<void> {
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
    .where('byte_offset', '<', offset - LOG_LIMIT_BYTES)
    .execute();
}

/** How many bytes there have been. */
export async function linesEnd(db: Db, jobId: number): Promise<number> {
  const { rows } = await sql<{ end: number }>`
    SELECT byte_offset + byte_length AS end FROM job_log
    WHERE job_id = ${jobId} ORDER BY byte_offset DESC LIMIT 1`.execute(db);
  return rows[0]?.end ?? 0;
}

/** Lines from an offset on, oldest first, at most 256 of them. */
export async function readLines(db: Db, jobId: number, from: number): Promise<LogChunk[]> {
  const rows = await db
    .selectFrom('job_log')
    .select(['byte_offset', 'at', 'message'])
    .where('job_id', '=', jobId)
    .where('byte_offset', '>=', from)
    .orderBy('byte_offset')
    .limit(256)
    .execute();
  return rows.map(({ byte_offset, at, message }) => ({
    byte_offset,
    text: `${at.toISOString()} ${message}\n`,
  }));
}
