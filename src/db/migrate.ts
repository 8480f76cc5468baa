/** Brings a database to the newest schema; safe when several processes start at once (Kysely's advisory lock). */
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import * as initial from './migrations/0001-initial.ts';
import * as live from './migrations/0002-live.ts';
import * as resume from './migrations/0003-resume.ts';
import * as oidcUsers from './migrations/0004-oidc-users.ts';
import * as external from './migrations/0005-external.ts';
import * as wanted from './migrations/0006-wanted.ts';
import * as totals from './migrations/0007-totals.ts';
import * as notices from './migrations/0008-notices.ts';
import * as access from './migrations/0009-access.ts';
import * as archive from './migrations/0010-archive.ts';
import * as traces from './migrations/0011-traces.ts';
import * as pauses from './migrations/0012-pauses.ts';
import * as standings from './migrations/0013-standings.ts';
import * as facts from './migrations/0014-facts.ts';
import * as logins from './migrations/0015-logins.ts';
import * as origins from './migrations/0016-origins.ts';
import * as refusedAndProgress from './migrations/0017-refused-and-progress.ts';
import * as joined from './migrations/0019-joined.ts';
import * as losses from './migrations/0020-losses.ts';
import * as plans from './migrations/0021-plans.ts';
import * as conflicts from './migrations/0022-conflicts.ts';
import * as stories from './migrations/0023-stories.ts';
import * as keeps from './migrations/0024-keeps.ts';
import * as listingBegin from './migrations/0025-listing-begin.ts';
import type { Db } from './schema.ts';

const MIGRATIONS: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-live': live,
  '0003-resume': resume,
  '0004-oidc-users': oidcUsers,
  '0005-external': external,
  '0006-wanted': wanted,
  '0007-totals': totals,
  '0008-notices': notices,
  '0009-access': access,
  '0010-archive': archive,
  '0011-traces': traces,
  '0012-pauses': pauses,
  '0013-standings': standings,
  '0014-facts': facts,
  '0015-logins': logins,
  '0016-origins': origins,
  '0017-refused-and-progress': refusedAndProgress,
  // There is no 0018, and there must never be one: Kysely refuses a migration that sorts before an applied one.
  '0019-joined': joined,
  '0020-losses': losses,
  '0021-plans': plans,
  '0022-conflicts': conflicts,
  '0023-stories': stories,
  '0024-keeps': keeps,
  '0025-listing-begin': listingBegin,
};

/**
 * Runs each migration in its own transaction, so that it holds its locks no longer than it needs.
 * @returns the names of the applied migrations
 * @throws the error of the migration that failed; the ones before it stay applied
 */
export async function migrate(db: Db): Promise<string[]> {
  const applied: string[] = [];
  for (let next = await applyNext(db); next !== undefined; next = await applyNext(db)) applied.push(next);
  return applied;
}

async function applyNext(db: Db): Promise<string | undefined> {
  return await unlessOvertaken(async () => {
    const { error, results = [] } = await migratorOf(db).migrateUp();
    if (error === undefined) return results[0]?.migrationName;
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'migrations';
    throw new Error(`database: ${failed} failed`, { cause: error });
  });
}

export type MigrationState = {
  readonly name: string;
  readonly state: 'applied' | 'pending' | 'unknown';
  readonly appliedAt: string | null;
};

/** Changes nothing. `unknown`: applied by a newer version than this one. */
export async function listMigrations(db: Db): Promise<MigrationState[]> {
  const ours = (await unlessOvertaken(() => migratorOf(db).getMigrations())).map(
    ({ name, executedAt }): MigrationState => {
      const appliedAt = executedAt?.toISOString() ?? null;
      return { name, state: appliedAt === null ? 'pending' : 'applied', appliedAt };
    },
  );
  if (ours.every(({ state }) => state === 'pending')) return ours; // Kysely's table may not exist yet
  const { rows } = await sql<{ name: string; timestamp: string }>`
    SELECT name, timestamp FROM kysely_migration ORDER BY name`.execute(db);
  const others = rows.filter(({ name }) => !Object.hasOwn(MIGRATIONS, name));
  return [
    ...ours,
    ...others.map(
      ({ name, timestamp }): MigrationState => ({ name, state: 'unknown', appliedAt: timestamp }),
    ),
  ];
}

/** How often Kysely may read a schema again that another process changes meanwhile. */
const LOOKS = 20;

async function unlessOvertaken<T>(look: () => Promise<T>): Promise<T> {
  for (let left = LOOKS; ; left--) {
    try {
      return await look();
    } catch (error) {
      if (left === 0 || !wasOvertaken(error)) throw error;
    }
  }
}

/**
 * Before Kysely looks for its own table, it asks Postgres for the sequence of each column of each table. That fails
 * if another process' migration drops one of them meanwhile.
 */
function wasOvertaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const routine = 'routine' in error ? error.routine : undefined;
  return (
    routine === 'pg_get_serial_sequence' ||
    routine === 'RangeVarGetRelidExtended' ||
    wasOvertaken(error.cause)
  );
}

function migratorOf(db: Db): Migrator {
  return new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
}

/** Changes no row, yet a server that takes no writes refuses it. */
export async function expectWrites(db: Db): Promise<void> {
  await sql`UPDATE installation SET uuid = uuid WHERE false`.execute(db);
}

/** The uuid of this installation; all our Kubernetes Jobs and run folders carry it. */
export async function readInstallation(db: Db): Promise<string> {
  const row = await db.selectFrom('installation').select('uuid').executeTakeFirstOrThrow();
  return row.uuid;
}
