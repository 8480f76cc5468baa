/** The connection pool, with a limit on every wait, and the one test of "Postgres is away". */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Db, Schema } from './schema.ts';

// bigint columns are counts and versions, far below 2^53: numbers, not strings.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * Opens a pool; connections are made when first needed.
 * @param options.max connections at most
 * @param options.patience for migrations: milliseconds that a statement may take, and wait for a lock within that
 * @param options.onError told of errors on idle connections; without a listener they would end the process
 */
export function connect(
  url: string,
  options: {
    max: number;
    applicationName: string;
    onError: (error: Error) => void;
    patience?: { statementMs: number; lockMs: number };
  },
): Db {
  const statementMs = options.patience?.statementMs ?? 5_000;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 1_500,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementMs,
    query_timeout: statementMs + 1_000,
    ...(options.patience && { lock_timeout: options.patience.lockMs }),
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
  });
  pool.on('error', options.onError);
  // A connection in use has no listener of the pool's: without this one its loss would end the process.
  pool.on('connect', (client) => client.on('error', options.onError));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57014', // query_canceled: statement_timeout
  '53300', // too_many_connections
  '25P03', // idle_in_transaction_session_timeout
]);
const AWAY_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error/;

/** True when Postgres could not be reached or did not answer in time: nothing is known about the statement. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (AWAY.has(code) || code.startsWith('08'))) return true;
  if (error instanceof AggregateError && error.errors.some(isDatabaseAway)) return true;
  return AWAY_MESSAGE.test(error.message) || isDatabaseAway(error.cause);
}
