/** Opens the database of DATABASE_URL, or else that of `npm start`, for one command; reports an unreachable one in a line. */
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { readDatabaseConfig } from '../config/config.ts';
import { connect, isDatabaseUnavailable, isReadOnly, lastingFault } from '../db/connect.ts';
import { listMigrations } from '../db/migrate.ts';
import type { Db } from '../db/schema.ts';
import { findPostgres } from '../embedded/postgres.ts';

/**
 * Opens a database with a complete schema, also one of a newer version. Never migrates on the way: that takes time and
 * locks, and belongs to `db up`, api and worker, which yield to other transactions.
 * @throws CliFailure 1 when a migration of this version is pending; 3 when Postgres cannot be reached
 */
export async function withSchema<T>(work: (db: Db) => Promise<T>): Promise<T> {
  return await withDatabase(async (db) => {
    const all = await listMigrations(db);
    const pending = all.flatMap(({ name, state }) => (state === 'pending' ? [name] : []));
    if (pending.length === 0) return await work(db);
    const lacks = pending.length === all.length ? 'all tables' : pending.join(', ');
    throw new CliFailure(`the database lacks ${lacks}: run syncrator db up first`);
  });
}

/** @throws CliFailure 3 when Postgres cannot be reached */
export async function withDatabase<T>(work: (db: Db, url: string) => Promise<T>): Promise<T> {
  const url = await findDatabase();
  const onError = (error: Error) => process.stderr.write(`${error.message}\n`);
  const db = connect(url, { max: 1, applicationName: 'syncrator-operator', onError });
  try {
    return await work(db, url);
  } catch (error) {
    const lasting = lastingFault(error);
    if (lasting !== undefined) throw new CliFailure(lasting);
    if (!isDatabaseUnavailable(error)) throw error;
    const { host } = new URL(url); // without user and password
    if (isReadOnly(error))
      throw new CliFailure(
        `Postgres at ${host} is read-only (a standby, or set so): point DATABASE_URL at the primary`,
        EXIT.unreachable,
      );
    throw new CliFailure(`cannot reach Postgres at ${host} (${whyOf(error)})`, EXIT.unreachable);
  } finally {
    await db.destroy();
  }
}

async function findDatabase(): Promise<string> {
  const { databaseUrl, dataDir } = readDatabaseConfig();
  if (databaseUrl !== undefined) return databaseUrl;
  const embedded = await findPostgres(dataDir);
  if (embedded) return embedded.url('syncrator');
  throw new CliFailure(
    `DATABASE_URL is not set, and no npm start runs on ${dataDir} (SYNCRATOR_DATA)`,
    EXIT.unreachable,
  );
}

/** @returns the innermost cause; of several addresses tried, the last one's */
function whyOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return whyOf(error.errors.at(-1));
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : whyOf(error.cause);
}
