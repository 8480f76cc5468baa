/** The load of a sync: fills the loading table batch by batch, and knows how far it is. */

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { DatabaseError } from 'pg';
import { WrongLoadError } from '../../job-error.ts';
import type { SourceRecord } from '../../sources/source.ts';
import type { Load, LoadBatch, Turn } from '../sink.ts';
import { inTransaction } from './connect.ts';
import { copyRecords } from './copy.ts';
import { claim, readState, type Writer } from './state.ts';
import { createTable, type Tables, tableExists } from './tables.ts';

const UNIQUE_VIOLATION = '23505';
// A batch lost with a crash of the server is loaded again from the cursor lost with it; the switch is synchronous.
const BEGIN_BATCH = 'BEGIN; SET LOCAL synchronous_commit = off';

export type Sinks = { readonly pool: Pool; readonly tables: Tables; readonly writer: Writer };

export async function beginLoad(
  { pool, tables, writer }: Sinks,
  { watermark, resume }: { watermark: Date; resume: string | null },
): Promise<Load> {
  return await inTransaction(pool, async (client) => {
    const state = await readState(client, writer);
    if (resume !== null && state.load_id === resume && (await tableExists(client, tables.loading))) {
      await claim(client, writer, { changes: 'loading_job_id = $2', only: 'load_id = $3', values: [resume] });
      return { id: resume, cursor: state.loading_cursor, done: Number(state.loading_done), resumed: true };
    }
    const id = randomUUID();
    await client.query(`DROP TABLE IF EXISTS ${tables.loading}`);
    await createTable(client, tables.loading);
    await claim(client, writer, {
      changes: `loading_job_id = $2, load_id = $3, loading_watermark = $4, loading_cursor = NULL, loading_done = 0`,
      values: [id, watermark],
    });
    return { id, cursor: null, done: 0, resumed: false };
  });
}

/** The cursor moves in the batch's own transaction, and only from where this program left it. */
export async function loadBatch(
  { pool, tables, writer }: Sinks,
  load: Load,
  { records, from, to }: LoadBatch,
  turn: Turn,
): Promise<number> {
  const written = async (add: typeof copyRecords): Promise<number> =>
    await inTransaction(
      pool,
      async (client) => {
        const added = await add(client, tables.loading, records);
        await turn;
        await claim(client, writer, {
          changes: 'loading_cursor = $3, loading_done = loading_done + $4',
          only: 'load_id = $5 AND loading_cursor IS NOT DISTINCT FROM $6',
          values: [to, added, load.id, from],
        });
        return added;
      },
      BEGIN_BATCH,
    );
  try {
    return await written(copyRecords);
  } catch (error) {
    // A source that lists an id twice: rare, so only such a batch pays for the slow way.
    if (isUniqueViolation(error)) return await written(mergeRecords);
    throw error;
  }
}

/** Like copyRecords, for ids that may be there already or come twice: the newest record stays. */
async function mergeRecords(
  client: PoolClient,
  table: string,
  records: readonly SourceRecord[],
): Promise<number> {
  await client.query(`CREATE TEMP TABLE incoming (LIKE ${table}) ON COMMIT DROP`);
  await copyRecords(client, 'incoming', records);
  const { rows } = await client.query<{ added: string }>(
    `WITH written AS (
       INSERT INTO ${table} AS t SELECT DISTINCT ON (id) * FROM incoming ORDER BY id, updated_at DESC
       ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, record = excluded.record
       WHERE t.updated_at <= excluded.updated_at
       RETURNING (xmax = 0) AS inserted
     ) SELECT count(*) FILTER (WHERE inserted) AS added FROM written`,
  );
  return Number(rows[0]?.added);
}

function isUniqueViolation(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof DatabaseError && cause.code === UNIQUE_VIOLATION;
}

export async function verifyLoad(
  { pool, tables }: Sinks,
  { count, sample }: { count: number; sample: readonly string[] },
): Promise<void> {
  const { rows } = await pool.query<{ rows: string; found: string }>(
    `SELECT (SELECT count(*) FROM ${tables.loading}) AS rows,
            (SELECT count(*) FROM ${tables.loading} WHERE id = ANY ($1)) AS found`,
    [sample],
  );
  const [there, found] = [Number(rows[0]?.rows), Number(rows[0]?.found)];
  if (there !== count || found !== sample.length) {
    throw new WrongLoadError(
      `${there} of ${count} records loaded, ${found} of ${sample.length} sampled ids found`,
    );
  }
}
