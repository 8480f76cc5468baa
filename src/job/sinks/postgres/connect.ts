/**
 * Opens connections and transactions in the sink's database, with time-outs; a lost connection never ends the
 * process.
 */
import { Pool, type PoolClient } from 'pg';
import { asSinkError, passingFault } from './sink-fault.ts';

const STATEMENT_TIMEOUT_MS = 30 * 60_000;

/** Readers never block our locks, so only a writer can make us wait this long; the error names it. */
const LOCK_TIMEOUT_MS = 30_000;

/** @param concurrency batches written concurrently; the pool has one more connection for other work */
export function createSinkPool(url: string, concurrency: number): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: 'syncrator-job',
    max: concurrency + 1,
    connectionTimeoutMillis: 15_000,
    // Longer than the server's own limit, so it only applies to an unreachable server.
    query_timeout: STATEMENT_TIMEOUT_MS + 30_000,
    keepAlive: true,
  });
  // Without listeners a lost connection ends the process; the running query reports it anyway.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Set in each transaction: a pooler refuses them as start-up parameters, and with transaction pooling session
 * settings would leak to other clients. The driver reads times of ISO style alone, also where the role has another.
 */
const LIMITS = `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS};
  SET LOCAL idle_in_transaction_session_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL DateStyle = 'ISO'`;

/**
 * Detects a killed program within seconds, so that its session releases its locks. Doubles that become JSON keep all their
 * digits.
 */
const SESSION = `${LIMITS}; SET LOCAL client_connection_check_interval = '2s'; SET LOCAL row_security = off;
  SET LOCAL extra_float_digits = 1`;

/** For tables that only Syncrator uses. */
export const OWN_TABLES = `BEGIN; ${LIMITS}`;
export const OWN_TABLES_READ_ONLY = `BEGIN READ ONLY; ${LIMITS}`;

/** For state tables and reads: each statement sees the latest commits. */
export const READ_COMMITTED = `BEGIN; ${SESSION}`;
/** For changes of the live table: one snapshot from the fence check to COMMIT. */
export const WRITING = `BEGIN ISOLATION LEVEL REPEATABLE READ; ${SESSION}`;
export const READ_ONLY = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${SESSION}`;
/**
 * Without synchronous commit: a server crash loses the batch together with its cursor, since both tables are
 * UNLOGGED.
 */
export const LOADING = `BEGIN; ${SESSION}; SET LOCAL synchronous_commit = off`;

/**
 * Runs `work` in a transaction; rolls back on any error and discards the connection if the rollback fails.
 *
 * @throws JobError with the database's error as cause
 */
export async function inTransaction<T>(
  pool: Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
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
    // After a failover the connection may lead to the old primary: a new one finds the new primary.
    if (passingFault(error) === 'read-only') broken ??= new Error('read-only', { cause: error });
    throw asSinkError(error);
  } finally {
    client.release(broken);
  }
}

/** @throws JobError, whose message does not contain the URL */
async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asSinkError(error);
  }
}
