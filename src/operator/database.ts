/** Lends a command the database: that of DATABASE_URL, else that of `npm start`; tells in one line when it is away. */
import { CliFailure, EXIT } from '../cli/failure.ts';
import { readDatabaseConfig } from '../config.ts';
import { connect, isDatabaseAway } from '../db/connect.ts';
import { listMigrations } from '../db/migrate.ts';
import type { Db } from '../db/schema.ts';
import { findPostgres } from '../embedded/postgres.ts';

/**
 * Lends it to a command that works with what is in it, also after a rollback, when a newer version has made it. It is
 * never brought up to date on the way: that takes time and locks, and belongs to `db up`, api and worker, which let
 * everybody go first.
 * @throws CliFailure 1 when a migration of this version is pending; 3 when Postgres cannot be reached
 */
export async function withSchema<T>(work: (db: Db) => Promise<T>): Promise<T> {
  return await withDatabase(async (db) => {
    const all = await listMigrations(db);
    const pending = all.flatMap(({ name, state }) => (state === 'pending' ? [name] : []));
    if (pending.length === 0) return await work(db);
    const lacks = pending.length === all.length ? 'everything of ours' : pending.join(', ');
    throw new CliFailure(`the database lacks ${lacks} yet: run syncrator db up first`);
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
    if (!isDatabaseAway(error)) throw error;
    const { host } = new URL(url); // its user and password are nobody's business
    throw new CliFailure(`Postgres at ${host} cannot be reached (${whyOf(error)})`, EXIT.unreachable);
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

/** The innermost reason; of several addresses tried in vain, the last. */
function whyOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return whyOf(error.errors.at(-1));
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : whyOf(error.cause);
}
