/**
 * Opens the connection pool, with a time-out on every wait; tells temporary database errors from permanent ones.
 */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { mayPoolerPass, poolerRemedy, PROTOCOL_VIOLATION } from '../domain/pooler-errors.ts';
import { renewedPool } from './renewed-pool.ts';
import type { Db, Schema } from './schema.ts';

// bigint columns are counts and versions, far below 2^53: numbers, not strings.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const SETTING_MS = 5_000;

/**
 * Opens a pool; it connects when first used.
 * @param options.max connections at most
 * @param options.patience for migrations: milliseconds for one statement, and for its wait for a lock
 * @param options.onError receives errors of idle connections; without a listener they would end the process
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
  // Set by statements, since PgBouncer refuses them as start-up parameters.
  const limits = [
    `SET statement_timeout = ${statementMs}`,
    `SET idle_in_transaction_session_timeout = 10000`,
    ...(options.patience ? [`SET lock_timeout = ${options.patience.lockMs}`] : []),
  ].join('; ');
  const setLimits = async (client: pg.ClientBase): Promise<void> => {
    await client.query({ text: limits, query_timeout: SETTING_MS } as pg.QueryConfig);
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 1_500,
    idleTimeoutMillis: 30_000,
    query_timeout: statementMs + 1_000,
    keepAlive: true,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool awaits this handler; its types omit that
    onConnect: setLimits,
  });
  pool.on('error', options.onError);
  // The pool listens on idle connections only: without this listener a lost connection in use would end the
  // process.
  pool.on('connect', (client) => client.on('error', options.onError));
  const verdict = (error: unknown) =>
    isReadOnly(error)
      ? 'renew all'
      : isDatabaseUnavailable(error) && codeOf(error) !== CANCELLED
        ? 'drop'
        : 'keep';
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: renewedPool(pool, verdict) }) });
}

/** query_canceled: statement_timeout. The connection is as good as before. */
const CANCELLED = '57014';
/** read_only_sql_transaction: a standby, or a server that was one side of a failover. */
const READ_ONLY = '25006';

const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  CANCELLED,
  '53300', // too_many_connections
  '25P03', // idle_in_transaction_session_timeout
  READ_ONLY,
]);
const AWAY_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error/;

/**
 * True if Postgres could not be reached, did not answer in time or takes no writes now: try the statement again.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code === PROTOCOL_VIOLATION) return mayPoolerPass(error.message);
  if (code !== undefined && (AWAY.has(code) || code.startsWith('08'))) return true;
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnavailable)) return true;
  return AWAY_MESSAGE.test(error.message) || isDatabaseUnavailable(error.cause);
}

/** True if the server answered but takes no writes: a standby, as after a failover, or set to read-only. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && (codeOf(error) === READ_ONLY || isReadOnly(error.cause));
}

/** The database of DATABASE_URL cannot be used; the message gives the full reason. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase';
}

/** Remedies by Postgres' error code, or Node's code of a TLS error. */
const MENDED_BY: readonly (readonly [RegExp, string])[] = [
  [/^28P01$/, 'correct the password of this role (in the URL, or DATABASE_PASSWORD)'],
  [/^28000$/, 'let this role in (LOGIN, pg_hba.conf), or name another one'],
  [/^3D000$/, 'create this database, or name another one'],
  [/^(42501|3F000)$/, 'grant the role of DATABASE_URL what it lacks; best let it own its database'],
  [/CERT|^UNABLE_TO_|^ERR_(TLS|SSL|OSSL)/, 'let sslrootcert name the authority of its certificate'],
];
/** Remedies for errors without a code of their own, by their message. */
const MENDED_BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^SASL: .*password must be/, 'give the password of this role (in the URL, or DATABASE_PASSWORD)'],
  [/does not support SSL connections/, 'switch TLS on in this server, or leave sslmode out'],
];

/**
 * The fault of DATABASE_URL and its fix, in one line without a password. Undefined for temporary errors
 * and for our own faults.
 */
export function lastingFault(error: unknown): string | undefined {
  if (!(error instanceof Error) || isDatabaseUnavailable(error)) return undefined;
  if (error instanceof UnfitDatabase) return error.message;
  const remedy = remedyFor(error);
  if (remedy !== undefined) return `DATABASE_URL: ${error.message}; ${remedy}`;
  return lastingFault(error.cause);
}

function remedyFor(error: Error): string | undefined {
  const code = codeOf(error);
  const told = (of: typeof MENDED_BY, text: string) => of.find(([form]) => form.test(text))?.[1];
  if (code === PROTOCOL_VIOLATION) return poolerRemedy(error.message);
  return (code === undefined ? undefined : told(MENDED_BY, code)) ?? told(MENDED_BY_WORDS, error.message);
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
