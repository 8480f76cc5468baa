/** Lends a command the database of DATABASE_URL, and tells in one line when it is away. */
import { CliFailure, EXIT } from '../cli/failure.ts';
import { readDatabaseUrl } from '../config.ts';
import { connect, isDatabaseAway } from '../db/connect.ts';
import type { Db } from '../db/schema.ts';

/** @throws CliFailure 3 when Postgres cannot be reached */
export async function withDatabase<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const url = readDatabaseUrl();
  const onError = (error: Error) => process.stderr.write(`${error.message}\n`);
  const db = connect(url, { max: 1, applicationName: 'syncrator-operator', onError });
  try {
    return await work(db);
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    const { host } = new URL(url); // its user and password are nobody's business
    throw new CliFailure(
      `Postgres at ${host} cannot be reached (${whyOf(error)}): see DATABASE_URL`,
      EXIT.unreachable,
    );
  } finally {
    await db.destroy();
  }
}

/** The innermost reason; of several addresses tried in vain, the last. */
function whyOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return whyOf(error.errors.at(-1));
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : whyOf(error.cause);
}
