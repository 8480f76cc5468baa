/** Lends a command the database: that of DATABASE_URL, else that of `npm start`; tells in one line when it is away. */
import { CliFailure, EXIT } from '../cli/failure.ts';
import { readDatabaseConfig } from '../config.ts';
import { connect, isDatabaseAway } from '../db/connect.ts';
import type { Db } from '../db/schema.ts';
import { findPostgres } from '../embedded/postgres.ts';

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
