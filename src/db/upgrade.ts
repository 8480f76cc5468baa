/** Migrates a database while processes use it: allows time for large tables, and never blocks others for long. */
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from './connect.ts';
import { listMigrations, type MigrationState, migrate } from './migrate.ts';
import { assertOwnSessions } from './own-sessions.ts';
import type { Db } from './schema.ts';

/**
 * How long a migration waits for a table before it lets everyone else go first. Shorter than Postgres'
 * deadlock_timeout (1 s): after that, Postgres might cancel a statement of another process, not the migration.
 */
const LOCK_MS = 500;
/** Time-out of one statement, enough for tables of any size. */
const STATEMENT_MS = 600_000;
const TRIES = 120;
const PAUSE_MS = 500;

/** lock_not_available, deadlock_detected: another session holds the table for a moment. */
const IN_THE_WAY = new Set<unknown>(['55P03', '40P01']);

/**
 * Applies pending migrations, retrying as often as needed.
 * @param onWait called with the migration each time another session is in the way
 * @returns the names of the applied migrations
 * @throws what `migrate` throws; after two minutes also that another session is in the way
 */
export async function upgradeSchema(url: string, onWait: (what: string) => void): Promise<string[]> {
  const db = connect(url, {
    max: 1,
    applicationName: 'syncrator-migrations',
    onError: () => undefined, // the connection is in use all the time: its statement reports the error
    patience: { statementMs: STATEMENT_MS, lockMs: LOCK_MS },
  });
  try {
    for (let left = TRIES; ; left--) {
      try {
        return await migrate(db);
      } catch (error) {
        if (left === 0 || !(error instanceof Error) || !isInTheWay(error.cause)) throw error;
        onWait(error.message);
        // A random pause, so that several migrating processes do not meet again.
        await wait(PAUSE_MS * (0.5 + Math.random()));
      }
    }
  } finally {
    await db.destroy();
  }
}

export type Prepared = {
  /** The names of the migrations that were applied. */
  readonly applied: readonly string[];
  /** Names of migrations that a newer version has applied. */
  readonly newer: readonly string[];
};

/** Logged when there are `newer` ones. */
export const NEWER_DATABASE =
  'a newer version has migrated the database; this version still finds everything that it uses';

/**
 * Prepares the schema for this version: migrates it, or leaves it as a newer version has made it, since a version
 * never drops what the one before it uses (AGENTS.md). So an upgrade can be taken back, and a process of the old
 * version can restart in the middle of one.
 * @throws UnfitDatabase behind a pooler that lends sessions out by the transaction; what `upgradeSchema` throws,
 * also if a migration is pending on a database that a newer version has migrated
 */
export async function prepareSchema(db: Db, url: string, onWait: (what: string) => void): Promise<Prepared> {
  await assertOwnSessions(url);
  const states = await listMigrations(db);
  const named = (wanted: MigrationState['state']) =>
    states.flatMap(({ name, state }) => (state === wanted ? [name] : []));
  if (named('pending').length > 0) return { applied: await upgradeSchema(url, onWait), newer: [] };
  return { applied: [], newer: named('unknown') };
}

function isInTheWay(error: unknown): boolean {
  return (
    error instanceof Error && (IN_THE_WAY.has((error as { code?: unknown }).code) || isInTheWay(error.cause))
  );
}
