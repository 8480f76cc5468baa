/** Migrates a database while processes use it: allows time for large tables, and never holds up others for long. */
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from './connect.ts';
import { listMigrations, type MigrationState, migrate } from './migrate.ts';
import { assertOwnSessions } from './own-sessions.ts';
import type { Db } from './schema.ts';

/**
 * So long a migration waits for a table before it lets everybody else go first. Shorter than Postgres' deadlock_timeout
 * (1 s), after which it might be a statement of somebody's work that is given up, and not the migration.
 */
const LOCK_MS = 500;
/** Of one statement, on tables of any size. */
const STATEMENT_MS = 600_000;
const TRIES = 120;
const PAUSE_MS = 500;

/** lock_not_available, deadlock_detected: another session holds the table for a moment. */
const IN_THE_WAY = new Set<unknown>(['55P03', '40P01']);

/**
 * Applies what is pending, as often as it takes.
 * @param onWait told each time that somebody was in the way, with the migration
 * @returns the names of those that it applied
 * @throws what `migrate` throws; after two minutes also that somebody is in the way
 */
export async function upgradeSchema(url: string, onWait: (what: string) => void): Promise<string[]> {
  const db = connect(url, {
    max: 1,
    applicationName: 'syncrator-migrations',
    onError: () => undefined, // it is in use all the time: its statement tells
    patience: { statementMs: STATEMENT_MS, lockMs: LOCK_MS },
  });
  try {
    for (let left = TRIES; ; left--) {
      try {
        return await migrate(db);
      } catch (error) {
        if (left === 0 || !(error instanceof Error) || !isInTheWay(error.cause)) throw error;
        onWait(error.message);
        // By chance, so that several of them do not meet again.
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
  /** Those that a newer version has applied. */
  readonly newer: readonly string[];
};

/** What is told where there are `newer` ones. */
export const NEWER_DATABASE =
  'the database was made by a newer version; what this one uses of it is still there';

/**
 * The schema as a process of this version can work on it: brought up to date, or left as a newer version has made it,
 * since what a version drops is nothing that the one before it uses (AGENTS.md). So an upgrade can be taken back, and a
 * process of the old version that is restarted in the middle of one comes up.
 * @throws UnfitDatabase behind a pooler that lends sessions out by the transaction; what `upgradeSchema` throws, also
 * where something is pending on a database that a newer version has made
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
