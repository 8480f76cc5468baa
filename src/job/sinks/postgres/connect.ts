/** Connections to the sink's database: named, with time-outs, and never a reason to crash. */

import { Pool, type PoolClient } from 'pg';
import { JobError, reasonOf } from '../../job-error.ts';

const STATEMENT_TIMEOUT_MS = 15 * 60_000;

/** @param lanes batches written at once; one more connection serves what goes on beside them */
export function createSinkPool(url: string, lanes: number): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: 'syncrator-job',
    max: lanes + 1,
    connectionTimeoutMillis: 15_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: 60_000,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    // The server's own limit comes first, unless the server is gone.
    query_timeout: STATEMENT_TIMEOUT_MS + 30_000,
    keepAlive: true,
  });
  // Without listeners a lost connection ends the process; the query in hand reports it anyway.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** BEGIN, work, COMMIT; on any error ROLLBACK, and the connection is dropped if even that fails. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
    throw error instanceof JobError
      ? error
      : new JobError('failed', `sink: ${reasonOf(error)}`, { cause: error });
  } finally {
    client.release(broken);
  }
}

/** A connection, or a failure that says so without the URL. */
export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new JobError('failed', `sink: cannot connect: ${reasonOf(error)}`, { cause: error });
  }
}
